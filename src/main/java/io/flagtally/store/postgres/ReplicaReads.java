package io.flagtally.store.postgres;

import io.flagtally.platform.error.UnavailableException;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Pool;
import io.vertx.mutiny.sqlclient.SqlConnection;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.OffsetDateTime;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Reads from the replica, and from the primary where the replica is away, slow, or cancels a read since it
 * holds up what comes from the primary. A replica that failed is left alone for a while.
 */
final class ReplicaReads {

    private static final Logger LOG = Logger.getLogger(ReplicaReads.class);

    private static final Duration LEFT_ALONE = Duration.ofSeconds(5);

    /** What the replica has replayed; asked before the numbers, which may be newer. Without any replay yet, unknown. */
    private static final String AS_OF =
            "select case when pg_is_in_recovery() then pg_last_xact_replay_timestamp() else now() end";

    private final Pool replica;
    private final Duration patience;
    private final InstantSource clock;
    private final Counter fallbacks;
    private volatile Instant leftAloneUntil = Instant.MIN;

    /** @param patience how long the replica may take */
    ReplicaReads(Pool replica, Duration patience, InstantSource clock, MeterRegistry meters) {
        this.replica = replica;
        this.patience = patience;
        this.clock = clock;
        fallbacks = meters.counter("flagtally.store.replica.fallbacks");
    }

    /**
     * Reads.
     *
     * @param work the statements
     * @param reading makes the answer of what was read and how new it is
     * @param fromPrimary the same from the primary
     */
    <T, R> Uni<R> read(
            Function<SqlConnection, Uni<T>> work, BiFunction<T, @Nullable Instant, R> reading, Uni<R> fromPrimary) {
        return Uni.createFrom()
                .deferred(() -> clock.instant().isBefore(leftAloneUntil)
                        ? fromPrimary
                        : fromReplica(work, reading)
                                .ifNoItem()
                                .after(patience)
                                .fail()
                                .onFailure()
                                .invoke(this::fallBack)
                                .onFailure()
                                .recoverWithUni(fromPrimary));
    }

    private <T, R> Uni<R> fromReplica(
            Function<SqlConnection, Uni<T>> work, BiFunction<T, @Nullable Instant, R> reading) {
        return HeldConnection.use(
                replica,
                connection -> connection.query(AS_OF).execute().chain(rows -> {
                    OffsetDateTime asOf = rows.iterator().next().getOffsetDateTime(0);
                    if (asOf == null) {
                        throw new UnavailableException("the replica does not know how old it is", null);
                    }
                    return work.apply(connection).map(read -> reading.apply(read, asOf.toInstant()));
                }));
    }

    private void fallBack(Throwable failure) {
        fallbacks.increment();
        if (!PostgresFailure.isConflict(failure)) {
            leftAloneUntil = clock.instant().plus(LEFT_ALONE);
        }
        LOG.debugf("A read goes to the primary, since the replica did not answer: %s", failure);
    }
}
