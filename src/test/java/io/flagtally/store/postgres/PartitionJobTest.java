package io.flagtally.store.postgres;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.event.FlagEvent;
import io.flagtally.pipeline.BatchOutcome;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.EventBatch;
import io.flagtally.testing.RandomEvents;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class PartitionJobTest {

    private static final BucketCalendar UTC = new BucketCalendar(ZoneOffset.UTC);
    private static final Duration PATIENCE = Duration.ofSeconds(120);
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
    void run_again_endsWhatAnotherRunLeftOver() {
        write(JULY, event("anna", JULY));
        var closed = postgres.query("insert into closed_period values ('202607', 0)");
        var detached = postgres.query("alter table mau detach partition mau_202607 concurrently");

        runAt(NOVEMBER);

        assertFalse(exists("mau_202607"));
        assertFalse(exists("mau_user_202607"));
    }

    @Test
    void run_tableThatSomebodyDetachedToKeep_isLeftAlone() {
        write(JULY, event("anna", JULY));
        var detached = postgres.query("alter table mau detach partition mau_202607 concurrently");

        runAt(JULY.plus(Duration.ofDays(60)));

        assertTrue(exists("mau_202607"));
        var unused = postgres.query("drop table mau_202607");
    }

    @Test
    void run_whileWritersAreAtFullSpeed_failsAndDelaysNone() throws Exception {
        write(JULY, event("anna", JULY));
        AtomicBoolean stop = new AtomicBoolean();
        AtomicInteger writes = new AtomicInteger();
        List<CompletableFuture<Void>> writers = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            PostgresActiveUsersSink sink = sink(NOVEMBER);
            RandomEvents random = new RandomEvents(i);
            writers.add(CompletableFuture.runAsync(() -> {
                while (!stop.get()) {
                    int number = writes.incrementAndGet();
                    // Now and then an event of a month that nobody has opened yet.
                    Instant time =
                            number % 10 == 0 ? NOVEMBER.minus(Duration.ofDays(31L * (6 + number / 10 % 30))) : NOVEMBER;
                    List<FlagEvent> events = new ArrayList<>();
                    for (int n = 0; n < 2_000; n++) {
                        events.add(RandomEvents.evaluation(
                                random.id(), "flag", "v0", "u" + number + "-" + n % 500, n == 0 ? time : NOVEMBER));
                    }
                    BatchOutcome outcome = await(sink.write(EventBatch.of(UTC, events)));
                    assertEquals(2_000, outcome.counted() + outcome.rejected().size());
                }
            }));
        }
        try (LockWaits waits = new LockWaits()) {
            Awaitility.await().atMost(PATIENCE).until(() -> writes.get() >= 15);
            runAt(NOVEMBER);
            int during = writes.get();
            Awaitility.await().atMost(PATIENCE).until(() -> writes.get() >= during + 15);
            stop.set(true);
            CompletableFuture.allOf(writers.toArray(CompletableFuture[]::new)).get(120, TimeUnit.SECONDS);

            assertAll(
                    () -> assertFalse(exists("mau_202607")),
                    () -> assertTrue(exists("mau_202701")),
                    () -> assertEquals(List.of(), waits.longerThanASecond()));
        } finally {
            stop.set(true);
        }
    }

    /** Looks, as long as it is open, for writes that wait for a lock on a table, whatever else the machine does. */
    private static final class LockWaits implements AutoCloseable {

        private static final String WAITS = "select distinct a.query from pg_sleep(0.05), pg_locks l"
                + " join pg_stat_activity a using (pid)"
                + " where not l.granted and l.mode = 'RowExclusiveLock'"
                + " and l.waitstart < clock_timestamp() - interval '1 second'";

        private final Set<String> seen = ConcurrentHashMap.newKeySet();
        private final AtomicBoolean closed = new AtomicBoolean();
        private final Thread looking = new Thread(this::look, "lock-waits");

        LockWaits() {
            looking.start();
        }

        private void look() {
            while (!closed.get()) {
                postgres.query(WAITS).forEach(row -> seen.add(row.getString(0)));
            }
        }

        List<String> longerThanASecond() {
            return List.copyOf(seen);
        }

        @Override
        public void close() throws InterruptedException {
            closed.set(true);
            looking.join();
        }
    }

    private static void runAt(Instant now) {
        String unused = run(now, new PartitionJob.Retention(3, MauConfig.DOORS_CLOSE_AFTER, PATIENCE));
    }

    private static String run(Instant now, PartitionJob.Retention retention) {
        return await(new PartitionJob(postgres.pool(postgres.server.port()), UTC, retention, InstantSource.fixed(now))
                .run());
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
