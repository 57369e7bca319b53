package io.flagtally.store.postgres;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.flagtally.codec.EventHeaders;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.SourceId;
import io.flagtally.pipeline.DeadLetter;
import io.flagtally.pipeline.DeadLetters;
import io.flagtally.pipeline.StoreUnavailableException;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.testing.EmbeddedStoresResource;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.vertx.mutiny.sqlclient.Pool;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.Tuple;
import jakarta.inject.Inject;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

@QuarkusTest
@QuarkusTestResource(EmbeddedStoresResource.class)
class PostgresDeadLettersQuarkusTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Instant ACCEPTED_AT = Instant.parse("2026-11-21T11:59:59Z");

    @Inject
    DeadLetters deadLetters;

    @Inject
    Pool pool;

    private final String eventId = UUID.randomUUID().toString();

    private static EventHeaders headers(String contentType, Instant acceptedAt) {
        return new EventHeaders(
                EnvironmentId.DEFAULT, SourceId.WEB, contentType, 1, acceptedAt, Optional.of("00-trace"));
    }

    private DeadLetter letter(String detail, String payload) {
        return letter(detail, payload, headers("application/x-ndjson", ACCEPTED_AT));
    }

    private DeadLetter letter(String detail, String payload, EventHeaders headers) {
        return new DeadLetter(
                headers,
                eventId,
                ErrorCode.COUNTER_UNUSABLE,
                detail,
                payload.getBytes(StandardCharsets.UTF_8),
                Instant.parse("2026-11-21T12:00:00Z"));
    }

    private List<Row> rows() {
        List<Row> rows = new ArrayList<>();
        pool.preparedQuery("select * from dead_letter where event_id = $1 order by detail")
                .execute(Tuple.of(eventId))
                .await()
                .atMost(PATIENCE)
                .forEach(rows::add);
        return rows;
    }

    private void put(DeadLetter... letters) {
        deadLetters.put(List.of(letters)).await().atMost(PATIENCE);
    }

    @Test
    void put_keepsTheEventAsItCame() {
        put(letter("wrong type", "{\"id\":\"" + eventId + "\"}"));

        Row row = rows().get(0);
        assertEquals("COUNTER_UNUSABLE", row.getString("code"));
        assertEquals("default", row.getString("environment_id"));
        assertEquals("wrong type", row.getString("detail"));
        assertArrayEquals(
                ("{\"id\":\"" + eventId + "\"}").getBytes(StandardCharsets.UTF_8),
                row.getBuffer("payload").getBytes());
        assertEquals(
                Instant.parse("2026-11-21T12:00:00Z"),
                row.getOffsetDateTime("put_at").toInstant());
    }

    @Test
    void put_theSameLetterAgain_isKeptOnce() {
        put(letter("a", eventId));
        put(letter("a", eventId), letter("a", eventId));

        assertEquals(1, rows().size());
    }

    @Test
    void put_nulInATextOfTheEventOrOfItsSender_isKept() {
        put(letter("b\0d", "\0" + eventId, headers("text/\0odd", ACCEPTED_AT)));

        Row row = rows().get(0);
        assertEquals("b d", row.getString("detail"));
        assertEquals("text/ odd", row.getString("content_type"));
    }

    /** Waited for, it would hold up all that comes after it. */
    @Test
    void put_whatPostgresqlWillNeverTake_isNotTakenForAStoreThatIsAway() {
        run("create unique index once on dead_letter (event_id) where event_id = '" + eventId + "'");
        try {
            RuntimeException refused = assertThrows(
                    RuntimeException.class, () -> put(letter("a", eventId), letter("a", "not " + eventId)));

            assertFalse(refused instanceof StoreUnavailableException, String.valueOf(refused));
        } finally {
            run("drop index once");
        }
    }

    private void run(String statement) {
        var unused = pool.query(statement).execute().await().atMost(PATIENCE);
    }
}
