package io.flagtally.store.postgres;

import io.flagtally.event.EvaluationEvent;
import io.flagtally.pipeline.BatchSink;
import io.flagtally.pipeline.BatchSinkContract;
import io.flagtally.proof.FaultProxy;
import io.flagtally.testing.RandomEvents;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;

/** {@link PostgresActiveUsersSink} keeps the contract of a sink. */
class PostgresActiveUsersSinkTest extends BatchSinkContract {

    private static PostgresSinkFixture postgres;

    @BeforeAll
    static void start() {
        postgres = new PostgresSinkFixture();
    }

    @AfterAll
    static void stop() {
        postgres.close();
    }

    @AfterEach
    void clear() {
        ActiveUsersTables.requireSummariesEqualRows(postgres);
        postgres.clear();
    }

    @Override
    protected BatchSink newSink(int port, boolean recognising) {
        return postgres.sink(port, CALENDAR, new ActiveUsersRules(recognising, 4, TIMEOUT), NOW);
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
