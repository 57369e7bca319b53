package io.flagtally.store.postgres;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.platform.job.Job;
import io.flagtally.platform.job.JobRun;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class PostgresJobLedgerTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Instant NOVEMBER = Instant.parse("2026-11-21T12:00:00Z");

    @RegisterExtension
    static final PostgresSinkFixture postgres = PostgresSinkFixture.cleared();

    @AfterEach
    void clear() {
        var unused = postgres.query("truncate job_run");
    }

    @Test
    void ledger_twoProcessesAndOneSlot_runOnce() {
        AtomicInteger runs = new AtomicInteger();
        Job job = job(Uni.createFrom().item(() -> "run " + runs.incrementAndGet()));
        List<Uni<Optional<JobRun>>> attempts = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            attempts.add(ledger().runOnce(job, "2026-11-21T12:00:00Z"));
        }

        List<Optional<JobRun>> done = await(Uni.join().all(attempts).andFailFast());

        assertAll(
                () -> assertEquals(1, runs.get()),
                () -> assertEquals(1, done.stream().filter(Optional::isPresent).count()),
                () -> assertEquals("run 1", await(ledger().last()).get(0).detail()));
    }

    @Test
    void ledger_failedSlot_isRunAgainAfterItsPause() {
        Job failing = job(Uni.createFrom().failure(new IllegalStateException("no")));

        Optional<JobRun> first = await(ledger().runOnce(failing, "a"));
        Job well = job(Uni.createFrom().item("well"));
        Optional<JobRun> tooSoon = await(ledger().runOnce(well, "a"));
        Optional<JobRun> second = await(ledger(NOVEMBER.plus(well.retryAfter())).runOnce(well, "a"));

        assertEquals(JobRun.Outcome.FAILED, first.orElseThrow().outcome());
        assertEquals(Optional.empty(), tooSoon);
        assertEquals(JobRun.Outcome.OK, second.orElseThrow().outcome());
    }

    @Test
    void ledger_jobThatDoesNotEnd_hasFailedAndIsCountedAsSuch() {
        SimpleMeterRegistry meters = new SimpleMeterRegistry();
        PostgresJobLedger ledger =
                new PostgresJobLedger(postgres.pool(postgres.server.port()), InstantSource.fixed(NOVEMBER), meters);
        Job endless = new TestJob(Uni.createFrom().nothing(), Duration.ofMillis(50));

        Optional<JobRun> run = await(ledger.runOnce(endless, "a"));

        assertEquals(JobRun.Outcome.FAILED, run.orElseThrow().outcome());
        assertTrue(run.orElseThrow().detail().contains("did not end within"), run::toString);
        assertEquals(
                1,
                meters.get("flagtally.store.jobs")
                        .tags("job", "test", "outcome", "failed")
                        .timer()
                        .count());
        assertEquals(
                "well",
                await(ledger.runOnce(job(Uni.createFrom().item("well")), "b"))
                        .orElseThrow()
                        .detail(),
                "it holds nothing any more");
    }

    private static PostgresJobLedger ledger() {
        return ledger(NOVEMBER);
    }

    private static PostgresJobLedger ledger(Instant now) {
        return new PostgresJobLedger(
                postgres.pool(postgres.server.port()), InstantSource.fixed(now), new SimpleMeterRegistry());
    }

    private static Job job(Uni<String> work) {
        return new TestJob(work, Duration.ofHours(1));
    }

    private record TestJob(Uni<String> work, Duration timeout) implements Job {
        @Override
        public String name() {
            return "test";
        }

        @Override
        public Optional<Duration> every() {
            return Optional.empty();
        }

        @Override
        public Uni<String> run() {
            return work;
        }
    }

    private static <T> T await(Uni<T> uni) {
        return uni.await().atMost(PATIENCE);
    }
}
