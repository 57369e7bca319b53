package io.flagtally.store.postgres;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Pool;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.RowSet;
import io.vertx.mutiny.sqlclient.Tuple;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * Finds and deletes the dead letters of a person: those with a JSON text that is the person's id, and those that are no
 * JSON to their end and hold the id's bytes. PostgreSQL looks for the bytes, or for an escape that may hide them; what it
 * finds is looked through here, by pages.
 */
final class DeadLettersOfUser {

    private static final int PAGE = 100;
    private static final UUID FIRST = new UUID(0, 0);

    private static final String CANDIDATES = "select id, payload from dead_letter where environment_id = $1 and id > $2"
            + " and (position(convert_to($3, 'UTF8') in payload) > 0 or position('\\x5c'::bytea in payload) > 0)"
            + " order by id limit " + PAGE;
    private static final String DELETE = "delete from dead_letter where id = any($1)";

    private static final JsonFactory JSON = new JsonFactory();

    private final Pool pool;

    DeadLettersOfUser(Pool pool) {
        this.pool = pool;
    }

    /** Deletes them, and gives how many they were. */
    Uni<Long> delete(String environment, String user) {
        return deleteAfter(environment, user, FIRST, 0);
    }

    private Uni<Long> deleteAfter(String environment, String user, UUID after, long before) {
        return pool.preparedQuery(CANDIDATES)
                .execute(Tuple.of(environment, after, user))
                .chain(rows -> delete(rows, user).chain(deleted -> {
                    long sum = before + deleted;
                    UUID last = after;
                    for (Row row : rows) {
                        last = row.getUUID(0);
                    }
                    return rows.size() < PAGE ? Uni.createFrom().item(sum) : deleteAfter(environment, user, last, sum);
                }));
    }

    private Uni<Long> delete(RowSet<Row> candidates, String user) {
        List<UUID> found = new ArrayList<>();
        for (Row row : candidates) {
            if (isOf(row.getBuffer(1).getBytes(), user)) {
                found.add(row.getUUID(0));
            }
        }
        return found.isEmpty()
                ? Uni.createFrom().item(0L)
                : pool.preparedQuery(DELETE)
                        .execute(Tuple.tuple().addArrayOfUUID(found.toArray(UUID[]::new)))
                        .map(deleted -> (long) deleted.rowCount());
    }

    static boolean isOf(byte[] payload, String user) {
        try (JsonParser parser = JSON.createParser(payload)) {
            for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                if (token == JsonToken.VALUE_STRING && parser.getText().equals(user)) {
                    return true;
                }
            }
            return false;
        } catch (IOException e) {
            return new String(payload, StandardCharsets.UTF_8).contains(user);
        }
    }
}
