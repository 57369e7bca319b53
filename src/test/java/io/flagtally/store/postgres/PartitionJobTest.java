package io.flagtally.store.postgres;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.event.FlagEvent;
import io.flagtally.pipeline.BatchOutcome;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.job.Job;
import io.flagtally.platform.job.JobRun;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.EventBatch;
import io.flagtally.testing.RandomEvents;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class PartitionJobTest {

    private static final BucketCalendar UTC = new BucketCalendar(ZoneOffset.UTC);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Instant JULY = Instant.parse("2026-07-10T12:00:00Z");
    private static final Instant NOVEMBER = Instant.parse("2026-11-21T12:00:00Z");

    private static PostgresSinkFixture postgres;

    private final RandomEvents made = new RandomEvents(5);

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
        postgres.clear();
        var unused = postgres.query("truncate job_run");
    }

    @Test
    void run_opensThisMonthAndTwoAhead() {
        runAt(NOVEMBER);

        for (String month : List.of("202611", "202612", "202701")) {
            assertTrue(exists("mau_" + month) && exists("mau_user_" + month), month);
        }
        assertTrue(exists("event_identity_20261121"));
    }

    @Test
    void run_monthAndItsWritesPastRetention_isDroppedAndItsSumsStay() {
        write(JULY, event("anna", JULY));

        runAt(NOVEMBER);

        assertAll(
                () -> assertFalse(exists("mau_202607")),
                () -> assertFalse(exists("mau_user_202607")),
                () -> assertFalse(exists("event_identity_20260710")),
                () -> assertEquals(1, users("202607")));
        BatchOutcome late = write(NOVEMBER, event("ben", JULY), event("ben", NOVEMBER));
        assertAll(
                () -> assertEquals(1, late.counted()),
                () -> assertEquals(
                        ErrorCode.MONTH_CLOSED, late.rejected().get(0).code()),
                () -> assertEquals(1, users("202607")));
    }

    @Test
    void run_oldMonthWithARecentWrite_isKeptWithItsIds() {
        FlagEvent old = event("anna", JULY);
        write(NOVEMBER.minus(Duration.ofDays(10)), old);

        runAt(NOVEMBER);

        assertTrue(exists("mau_202607"));
        assertEquals(new BatchOutcome(0, 1), write(NOVEMBER, old));
    }

    @Test
    void run_dayThatNoDoorTakesAnyMore_losesItsIdsAndIsNotCountedTwice() {
        Instant september = Instant.parse("2026-09-10T12:00:00Z");
        FlagEvent event = event("anna", september);
        write(september, event);

        runAt(NOVEMBER);

        BatchOutcome again = write(NOVEMBER, event);
        assertAll(
                () -> assertTrue(exists("mau_202609")),
                () -> assertFalse(exists("event_identity_20260910")),
                () -> assertEquals(0, again.counted()),
                () -> assertEquals(
                        ErrorCode.DEDUPLICATION_WINDOW_PASSED,
                        again.rejected().get(0).code()));
    }

    @Test
    void run_again_endsWhatAnotherRunLeftOver() {
        write(JULY, event("anna", JULY));
        var closed = postgres.query("insert into closed_period values ('202607', 0)");
        var detached = postgres.query("alter table mau detach partition mau_202607 concurrently");

        runAt(NOVEMBER);
        runAt(NOVEMBER);

        assertFalse(exists("mau_user_202607"));
    }

    @Test
    void run_whileWritersAreAtFullSpeed_failsAndDelaysNone() throws Exception {
        write(JULY, event("anna", JULY));
        AtomicBoolean stop = new AtomicBoolean();
        AtomicLong longestMillis = new AtomicLong();
        AtomicInteger writes = new AtomicInteger();
        List<CompletableFuture<Void>> writers = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            PostgresActiveUsersSink sink = sink(NOVEMBER);
            RandomEvents random = new RandomEvents(i);
            writers.add(CompletableFuture.runAsync(() -> {
                while (!stop.get()) {
                    List<FlagEvent> events = new ArrayList<>();
                    for (int n = 0; n < 200; n++) {
                        events.add(RandomEvents.evaluation(
                                random.id(), "flag", "v0", "u" + writes.get() + "-" + n, NOVEMBER.minusSeconds(n)));
                    }
                    long start = System.nanoTime();
                    assertEquals(
                            200, await(sink.write(EventBatch.of(UTC, events))).counted());
                    longestMillis.accumulateAndGet((System.nanoTime() - start) / 1_000_000, Math::max);
                    writes.incrementAndGet();
                }
            }));
        }
        while (writes.get() < 20) {
            Thread.onSpinWait();
        }

        runAt(NOVEMBER);
        int during = writes.get();
        while (writes.get() < during + 20) {
            Thread.onSpinWait();
        }
        stop.set(true);

        CompletableFuture.allOf(writers.toArray(CompletableFuture[]::new)).get();
        assertAll(
                () -> assertFalse(exists("mau_202607")),
                () -> assertTrue(exists("mau_202701")),
                () -> assertTrue(longestMillis.get() < 1_000, () -> "a write took " + longestMillis + " ms"));
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

    private static PostgresJobLedger ledger() {
        return ledger(NOVEMBER);
    }

    private static PostgresJobLedger ledger(Instant now) {
        return new PostgresJobLedger(
                postgres.pool(postgres.server.port()), InstantSource.fixed(now), new SimpleMeterRegistry());
    }

    private static Job job(Uni<String> work) {
        return new Job() {
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
        };
    }

    private static void runAt(Instant now) {
        String unused =
                await(new PartitionJob(postgres.pool(postgres.server.port()), UTC, 3, InstantSource.fixed(now)).run());
    }

    private static PostgresActiveUsersSink sink(Instant now) {
        return postgres.sink(postgres.server.port(), UTC, new ActiveUsersRules(true, 4, PATIENCE), now);
    }

    private static BatchOutcome write(Instant now, FlagEvent... events) {
        return await(sink(now).write(EventBatch.of(UTC, List.of(events))));
    }

    private FlagEvent event(String user, Instant time) {
        return RandomEvents.evaluation(made.id(), "flag", "v0", user, time);
    }

    private static boolean exists(String table) {
        return postgres.number("select count(*) from pg_class where relname = $1", table) == 1;
    }

    private static long users(String month) {
        return postgres.number(
                "select sum(user_count)::bigint from active_users_summary where period = $1 and source_id = '*'",
                month);
    }

    private static <T> T await(Uni<T> uni) {
        return uni.await().atMost(PATIENCE);
    }
}
