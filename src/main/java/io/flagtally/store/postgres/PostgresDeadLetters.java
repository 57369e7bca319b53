package io.flagtally.store.postgres;

import io.flagtally.pipeline.DeadLetter;
import io.flagtally.pipeline.DeadLetters;
import io.flagtally.pipeline.StoreUnavailableException;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.core.buffer.Buffer;
import io.vertx.mutiny.sqlclient.Pool;
import io.vertx.mutiny.sqlclient.Tuple;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.List;
import java.util.UUID;

/** Keeps dead letters in the table {@code dead_letter}; a letter that is there already stays as it is, and counts how often it was put. */
@Singleton
public class PostgresDeadLetters implements DeadLetters {

    private static final Duration PUT_TIMEOUT = Duration.ofSeconds(10);
    private static final String INSERT = "insert into dead_letter"
            + " (id, environment_id, event_id, code, detail, content_type, payload, put_at,"
            + " source, accepted_at, trace_parent)"
            + " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
            + " on conflict (id) do update set puts = dead_letter.puts + 1";

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
                .onFailure()
                .transform(failure -> new StoreUnavailableException(
                        "PostgreSQL does not keep dead letters: " + failure.getMessage(), failure))
                .replaceWithVoid();
    }

    private static Tuple row(DeadLetter letter) {
        return Tuple.tuple()
                .addUUID(idOf(letter))
                .addString(letter.headers().environment().value())
                .addString(text(letter.eventId()))
                .addString(letter.code().name())
                .addString(text(letter.detail()))
                .addString(letter.headers().contentType())
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
