package io.flagtally.store.postgres;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.event.FlagEvent;
import io.flagtally.pipeline.BatchOutcome;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.EventBatch;
import io.flagtally.testing.ActiveUsersTables;
import io.flagtally.testing.RandomEvents;
import io.smallrye.mutiny.Uni;
import io.vertx.pgclient.PgException;
import java.sql.Connection;
import java.time.Duration;
import java.time.Instant;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class PartitionJobTest {

    private static final BucketCalendar UTC = new BucketCalendar(ZoneOffset.UTC);
    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final String LOCK_TIMEOUT = "55P03";
    private static final Instant JULY = Instant.parse("2026-07-10T12:00:00Z");
    private static final Instant NOVEMBER = Instant.parse("2026-11-21T12:00:00Z");

    @RegisterExtension
    static final PostgresSinkFixture postgres = PostgresSinkFixture.cleared();

    private final RandomEvents made = new RandomEvents(5);

    @Test
    void run_opensThisMonthAndTwoAhead() {
        postgres.runPartitions(NOVEMBER);

        for (String month : List.of("202611", "202612", "202701")) {
            assertTrue(postgres.exists("mau_" + month) && postgres.exists("mau_user_" + month), month);
        }
        assertTrue(postgres.exists("event_identity_20261121"));
    }

    @Test
    void run_monthAndItsWritesPastRetention_isDroppedAndItsSumsStay() {
        postgres.write(JULY, event("anna", JULY));

        postgres.runPartitions(NOVEMBER);

        assertAll(
                () -> assertFalse(postgres.exists("mau_202607")),
                () -> assertFalse(postgres.exists("mau_user_202607")),
                () -> assertFalse(postgres.exists("event_identity_20260710")),
                () -> assertEquals(1, postgres.users("202607")));
        BatchOutcome late = postgres.write(NOVEMBER, event("ben", JULY), event("ben", NOVEMBER));
        assertAll(
                () -> assertEquals(1, late.counted()),
                () -> assertEquals(
                        ErrorCode.MONTH_CLOSED, late.rejected().get(0).code()),
                () -> assertEquals(1, postgres.users("202607")));
    }

    @Test
    void run_oldMonthWithARecentWrite_isKeptWithItsIds() {
        FlagEvent old = event("anna", JULY);
        postgres.write(NOVEMBER.minus(Duration.ofDays(10)), old);

        postgres.runPartitions(NOVEMBER);

        assertTrue(postgres.exists("mau_202607"));
        assertEquals(new BatchOutcome(0, 1), postgres.write(NOVEMBER, old));
    }

    @Test
    void run_again_endsWhatAnotherRunLeftOver() {
        postgres.write(JULY, event("anna", JULY));
        var closed = postgres.query("insert into closed_period values ('202607', 0)");
        var detached = postgres.query("alter table mau detach partition mau_202607 concurrently");

        postgres.runPartitions(NOVEMBER);

        assertFalse(postgres.exists("mau_202607"));
        assertFalse(postgres.exists("mau_user_202607"));
    }

    @Test
    void run_tableThatSomebodyDetachedAndRenamed_isLeftAlone() {
        postgres.write(JULY, event("anna", JULY));
        var detached = postgres.query("alter table mau detach partition mau_202607 concurrently");
        var renamed = postgres.query("alter table mau_202607 rename to kept_mau_202607");

        postgres.runPartitions(NOVEMBER);

        assertFalse(postgres.exists("mau_user_202607"));
        assertTrue(postgres.exists("kept_mau_202607"));
        var unused = postgres.query("drop table kept_mau_202607");
    }

    @Test
    void run_somebodyHoldsADetachedTable_failsInTimeAndDropsItLater() throws Exception {
        postgres.write(JULY, event("anna", JULY));
        var closed = postgres.query("insert into closed_period values ('202607', 0)");
        var detached = postgres.query("alter table mau detach partition mau_202607 concurrently");
        PartitionJob.Retention hasty =
                new PartitionJob.Retention(3, MauConfig.DOORS_CLOSE_AFTER, Duration.ofMillis(200));
        try (Connection holder = ActiveUsersTables.at(postgres.server.port()).connect()) {
            holder.setAutoCommit(false);
            boolean unused = holder.createStatement().execute("lock table mau_202607 in access share mode");

            PgException failure = assertThrows(PgException.class, () -> postgres.runPartitions(NOVEMBER, hasty));

            assertEquals(LOCK_TIMEOUT, failure.getSqlState());
            assertFalse(postgres.exists("mau_user_202607"), "the others are dropped");
        }
        postgres.runPartitions(NOVEMBER, hasty);
        assertFalse(postgres.exists("mau_202607"));
    }

    @Test
    void run_whileWritersAreAtFullSpeed_failsAndDelaysNone() throws Exception {
        postgres.write(JULY, event("anna", JULY));
        AtomicBoolean stop = new AtomicBoolean();
        AtomicInteger writes = new AtomicInteger();
        List<CompletableFuture<Void>> writers = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            PostgresActiveUsersSink sink = postgres.sink(NOVEMBER);
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
            postgres.runPartitions(NOVEMBER);
            int during = writes.get();
            Awaitility.await().atMost(PATIENCE).until(() -> writes.get() >= during + 15);
            stop.set(true);
            CompletableFuture.allOf(writers.toArray(CompletableFuture[]::new)).get(120, TimeUnit.SECONDS);

            assertAll(
                    () -> assertFalse(postgres.exists("mau_202607")),
                    () -> assertTrue(postgres.exists("mau_202701")),
                    () -> assertEquals(List.of(), waits.longerThanASecond()));
        } finally {
            stop.set(true);
        }
    }

    @Test
    void lockWaits_writerThatWaitsToOpenAMonth_isSeen() throws Exception {
        try (Connection holder = ActiveUsersTables.at(postgres.server.port()).connect();
                LockWaits waits = new LockWaits()) {
            holder.setAutoCommit(false);
            boolean unused = holder.createStatement().execute("select pg_advisory_xact_lock(7301, 1)");
            CompletableFuture<String> write = postgres.sink(NOVEMBER)
                    .write(EventBatch.of(UTC, List.of(event("anna", JULY))))
                    .subscribeAsCompletionStage()
                    .handle((outcome, failure) -> "ended");

            Awaitility.await()
                    .atMost(PATIENCE)
                    .until(() -> waits.longerThanASecond().equals(List.of("select open_period($1)")));

            holder.rollback();
            assertEquals("ended", write.get(120, TimeUnit.SECONDS));
        }
    }

    /** Looks, as long as it is open, for writes that wait for a lock, whatever else the machine does. */
    private static final class LockWaits implements AutoCloseable {

        private static final String WAITS = "select distinct a.query from pg_sleep(0.05), pg_locks l"
                + " join pg_stat_activity a using (pid)"
                + " where not l.granted and (l.mode in ('RowExclusiveLock', 'ShareUpdateExclusiveLock')"
                + " or l.locktype = 'advisory') and a.query not like 'alter table % detach partition %'"
                + " and l.waitstart < clock_timestamp() - interval '1 second'";

        private final Set<String> seen = ConcurrentHashMap.newKeySet();
        private final AtomicBoolean closed = new AtomicBoolean();
        private final CompletableFuture<Void> looking =
                CompletableFuture.runAsync(this::look, task -> new Thread(task, "lock-waits").start());

        private void look() {
            do {
                postgres.query(WAITS).forEach(row -> seen.add(row.getString(0)));
            } while (!closed.get());
        }

        List<String> longerThanASecond() {
            return List.copyOf(seen);
        }

        /** Looks a last time; fails if a look failed. */
        @Override
        public void close() {
            closed.set(true);
            looking.orTimeout(120, TimeUnit.SECONDS).join();
        }
    }

    private FlagEvent event(String user, Instant time) {
        return RandomEvents.evaluation(made.id(), "flag", "v0", user, time);
    }

    private static <T> T await(Uni<T> uni) {
        return uni.await().atMost(PATIENCE);
    }
}
