package io.flagtally.store.postgres;

import io.flagtally.codec.EventHeaders;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.SourceId;
import io.flagtally.pipeline.DeadLetter;
import io.flagtally.pipeline.DeadLetterStore;
import io.flagtally.pipeline.DeadLetters;
import io.flagtally.pipeline.KeptLetter;
import io.flagtally.pipeline.LetterQuery;
import io.flagtally.pipeline.StoreUnavailableException;
import io.flagtally.platform.error.ErrorCode;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.core.buffer.Buffer;
import io.vertx.mutiny.sqlclient.Pool;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.RowSet;
import io.vertx.mutiny.sqlclient.Tuple;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** Keeps dead letters in the table {@code dead_letter}; a letter that is there already stays as it is, and counts how often it was put. */
@Singleton
public class PostgresDeadLetters implements DeadLetters, DeadLetterStore {

    private static final Duration PUT_TIMEOUT = Duration.ofSeconds(10);
    private static final String INSERT = "insert into dead_letter"
            + " (id, environment_id, event_id, code, detail, content_type, payload, put_at,"
            + " source, accepted_at, trace_parent)"
            + " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
            + " on conflict (id) do update set puts = dead_letter.puts + 1";

    private static final String COLUMNS =
            "select id, environment_id, event_id, code, detail, content_type, put_at, source,"
                    + " accepted_at, trace_parent, puts, octet_length(payload) as payload_bytes, ";
    private static final String LIST = COLUMNS + "substring(payload from 1 for $5) as payload from dead_letter"
            + " where environment_id = $1 and ($2::text is null or code = $2) and ($3::uuid is null or id > $3)"
            + " order by id limit $4";
    private static final String READ = COLUMNS + "payload from dead_letter where environment_id = $1 and id = $2";
    private static final String REMOVE = "delete from dead_letter where id = $1 and puts = $2";

    private final Pool pool;

    @Inject
    public PostgresDeadLetters(Pool pool) {
        this.pool = pool;
    }

    @Override
    public Uni<Void> put(List<DeadLetter> letters) {
        List<Tuple> rows = letters.stream().map(PostgresDeadLetters::row).toList();
        return pool.preparedQuery(INSERT)
                .executeBatch(rows)
                .ifNoItem()
                .after(PUT_TIMEOUT)
                .fail()
                .onFailure(failure -> !PostgresFailure.isOfTheData(failure))
                .transform(failure -> new StoreUnavailableException(
                        "PostgreSQL does not keep dead letters: " + failure.getMessage(), failure))
                .replaceWithVoid();
    }

    @Override
    public Uni<List<KeptLetter>> list(LetterQuery query) {
        Tuple arguments = Tuple.tuple()
                .addString(query.environment().value())
                .addString(query.code().map(ErrorCode::name).orElse(null))
                .addUUID(query.after().orElse(null))
                .addInteger(query.limit())
                .addInteger(SHOWN_BYTES_MAX);
        return run(LIST, arguments).map(rows -> {
            List<KeptLetter> letters = new ArrayList<>();
            rows.forEach(row -> letters.add(letter(row)));
            return letters;
        });
    }

    @Override
    public Uni<Optional<KeptLetter>> read(EnvironmentId environment, UUID id) {
        return run(READ, Tuple.of(environment.value(), id))
                .map(rows -> rows.size() == 0
                        ? Optional.empty()
                        : Optional.of(letter(rows.iterator().next())));
    }

    @Override
    public Uni<Boolean> remove(KeptLetter letter) {
        return run(REMOVE, Tuple.of(letter.id(), letter.puts())).map(rows -> rows.rowCount() > 0);
    }

    private Uni<RowSet<Row>> run(String statement, Tuple arguments) {
        return pool.preparedQuery(statement)
                .execute(arguments)
                .ifNoItem()
                .after(PUT_TIMEOUT)
                .fail()
                .onFailure()
                .transform(failure -> new StoreUnavailableException(
                        "PostgreSQL does not give dead letters: " + failure.getMessage(), failure));
    }

    private static KeptLetter letter(Row row) {
        EventHeaders headers = new EventHeaders(
                new EnvironmentId(row.getString("environment_id")),
                SourceId.valueOf(row.getString("source")),
                row.getString("content_type"),
                1,
                row.getOffsetDateTime("accepted_at").toInstant(),
                Optional.ofNullable(row.getString("trace_parent")));
        DeadLetter letter = new DeadLetter(
                headers,
                row.getString("event_id"),
                ErrorCode.valueOf(row.getString("code")),
                row.getString("detail"),
                row.getBuffer("payload").getBytes(),
                row.getOffsetDateTime("put_at").toInstant());
        return new KeptLetter(row.getUUID("id"), letter, row.getInteger("puts"), row.getInteger("payload_bytes"));
    }

    private static Tuple row(DeadLetter letter) {
        return Tuple.tuple()
                .addUUID(idOf(letter))
                .addString(letter.headers().environment().value())
                .addString(text(letter.eventId()))
                .addString(letter.code().name())
                .addString(text(letter.detail()))
                .addString(text(letter.headers().contentType()))
                .addBuffer(Buffer.buffer(letter.payload()))
                .addOffsetDateTime(letter.at().atOffset(ZoneOffset.UTC))
                .addString(letter.headers().source().name())
                .addOffsetDateTime(letter.headers().acceptedAt().atOffset(ZoneOffset.UTC))
                .addString(letter.headers()
                        .traceParent()
                        .map(PostgresDeadLetters::text)
                        .orElse(null));
    }

    private static UUID idOf(DeadLetter letter) {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        content.writeBytes(letter.headers().environment().value().getBytes(StandardCharsets.UTF_8));
        content.write(0);
        content.writeBytes(letter.code().name().getBytes(StandardCharsets.UTF_8));
        content.write(0);
        content.writeBytes(letter.payload());
        return UUID.nameUUIDFromBytes(content.toByteArray());
    }

    /** A text that PostgreSQL can hold, which knows no NUL. */
    private static String text(String text) {
        return text.replace('\0', ' ');
    }
}
