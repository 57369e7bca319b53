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
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Reads from the replica, and from the primary where the replica is not there in time, or cancels a read since it holds up
 * what comes from the primary. A replica that was not there is left alone for a while; how long the reading itself takes is
 * its reader's matter.
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

    /** @param patience how long the replica may take to give a connection and say how new it is */
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
                                .onFailure()
                                .invoke(this::fallBack)
                                .onFailure()
                                .recoverWithUni(fromPrimary));
    }

    private <T, R> Uni<R> fromReplica(
            Function<SqlConnection, Uni<T>> work, BiFunction<T, @Nullable Instant, R> reading) {
        CompletableFuture<Instant> there = new CompletableFuture<>();
        Uni<R> read = HeldConnection.use(
                replica,
                connection -> asOf(connection)
                        .chain(asOf -> there.complete(asOf)
                                ? work.apply(connection).map(rows -> reading.apply(rows, asOf))
                                : Uni.createFrom().failure(() -> new IllegalStateException("the primary was asked"))));
        return Uni.combine().any().of(read, silence(there)).onFailure().invoke(() -> leaveAloneUnless(there));
    }

    private static Uni<Instant> asOf(SqlConnection connection) {
        return connection.query(AS_OF).execute().map(rows -> {
            OffsetDateTime asOf = rows.iterator().next().getOffsetDateTime(0);
            if (asOf == null) {
                throw new UnavailableException("the replica does not know how old it is", null);
            }
            return asOf.toInstant();
        });
    }

    /** Fails when the replica has not begun to answer in time. */
    private <R> Uni<R> silence(CompletableFuture<Instant> there) {
        return Uni.createFrom()
                .completionStage(there)
                .ifNoItem()
                .after(patience)
                .fail()
                .onFailure()
                .invoke(there::completeExceptionally)
                .chain(asOf -> Uni.createFrom().nothing());
    }

    /** A replica that answers may still cancel a read, or be too slow for it. */
    private void leaveAloneUnless(CompletableFuture<Instant> there) {
        if (!there.isDone() || there.isCompletedExceptionally()) {
            leftAloneUntil = clock.instant().plus(LEFT_ALONE);
        }
    }

    private void fallBack(Throwable failure) {
        fallbacks.increment();
        LOG.debugf("A read goes to the primary, since the replica did not answer: %s", failure);
    }
}
