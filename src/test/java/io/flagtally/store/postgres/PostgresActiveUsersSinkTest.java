package io.flagtally.store.postgres;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.flagtally.event.EvaluationEvent;
import io.flagtally.pipeline.BatchOutcome;
import io.flagtally.pipeline.BatchSink;
import io.flagtally.pipeline.BatchSinkContract;
import io.flagtally.proof.FaultProxy;
import io.flagtally.rollup.EventBatch;
import io.flagtally.testing.ActiveUsersTables;
import io.flagtally.testing.RandomEvents;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.mutiny.sqlclient.Pool;
import java.sql.Connection;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** {@link PostgresActiveUsersSink} keeps the contract of a sink. */
class PostgresActiveUsersSinkTest extends BatchSinkContract {

    /** How many statements wait for the lock of another one. */
    private static final String WAITING = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'";

    @RegisterExtension
    static final PostgresSinkFixture postgres = PostgresSinkFixture.cleared();

    @AfterEach
    void clear() {
        ActiveUsersTables.at(postgres.server.port()).requireSummariesEqualRows();
    }

    /** A flush waits for a lock until its time is up; another one waits meanwhile for the pool's only connection. */
    @Test
    void write_tooSlow_goesOnAndDisturbsNoOtherFlush() throws Exception {
        Pool pool = postgres.pool(storePort(), 1);
        PostgresActiveUsersSink patient = sink(pool, Duration.ofSeconds(30));
        EventBatch slow = batch(List.of(RandomEvents.evaluation(id(), "flag", "v0", "locked", NOW)));
        EventBatch other = batch(List.of(RandomEvents.evaluation(id(), "flag", "v0", "another", NOW)));
        var opened = postgres.query("select open_period('209111'), open_period('20911121')");
        CompletableFuture<BatchOutcome> queued;
        try (Connection lock = ActiveUsersTables.at(storePort()).connect()) {
            lock.setAutoCommit(false);
            int locked = lock.createStatement()
                    .executeUpdate("insert into mau_user values ('default', '209111', 'locked', 1, 0)");
            assertEquals(1, locked);
            CompletableFuture<BatchOutcome> hurried =
                    sink(pool, Duration.ofSeconds(1)).write(slow).subscribeAsCompletionStage();
            await().atMost(Duration.ofSeconds(20)).until(() -> postgres.number(WAITING) == 1);
            queued = patient.write(other).subscribeAsCompletionStage();
            await().atMost(Duration.ofSeconds(20)).until(hurried::isCompletedExceptionally);
            lock.rollback();
        }

        BatchOutcome written = queued.get(30, TimeUnit.SECONDS);

        assertAll(
                () -> assertEquals(new BatchOutcome(1, 0), written),
                () -> assertEquals(new BatchOutcome(0, 1), write(patient, other)),
                () -> assertEquals(new BatchOutcome(0, 1), write(patient, slow)),
                () -> assertEquals(2, counted()));
    }

    private static PostgresActiveUsersSink sink(Pool pool, Duration timeout) {
        return new PostgresActiveUsersSink(
                pool,
                CALENDAR,
                new ActiveUsersRules(true, 4, timeout),
                InstantSource.fixed(NOW),
                new SimpleMeterRegistry());
    }

    @Override
    protected BatchSink newSink(int port, boolean recognising, Duration timeout) {
        return postgres.sink(port, CALENDAR, new ActiveUsersRules(recognising, 4, timeout), NOW);
    }

    @Override
    protected int storePort() {
        return postgres.server.port();
    }

    @Override
    protected void stopStore() {
        postgres.server.stop();
    }

    @Override
    protected void startStore() {
        postgres.server.restart();
    }

    @Override
    protected long counted() {
        return postgres.number("select sum(event_count)::bigint from mau");
    }

    @Override
    protected void loseReply(FaultProxy proxy) {
        proxy.loseRepliesFrom("commit");
    }

    /** What this store refuses for good is an event of a closed month, so such a flag's events lie in one. */
    @Override
    protected EvaluationEvent event(String flag) {
        return flag.equals("spoilt")
                ? RandomEvents.evaluation(id(), flag, "v0", "u0", NOW.minus(Duration.ofDays(25)))
                : super.event(flag);
    }

    @Override
    protected void spoil(String flag) {
        var unused = postgres.query("insert into closed_period values ('209110', 0)");
    }

    @Override
    protected void mend(String flag) {
        var unused = postgres.query("delete from closed_period");
    }
}
