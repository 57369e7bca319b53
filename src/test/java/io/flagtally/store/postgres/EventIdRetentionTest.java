package io.flagtally.store.postgres;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagEvent;
import io.flagtally.event.SourceId;
import io.flagtally.pipeline.BatchOutcome;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.EventBatch;
import io.flagtally.testing.ActiveUsersTables;
import io.flagtally.testing.RandomEvents;
import io.smallrye.mutiny.Uni;
import java.sql.Connection;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** How long the ids of events are kept, and what imports may rely on. */
class EventIdRetentionTest {

    private static final BucketCalendar UTC = new BucketCalendar(ZoneOffset.UTC);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Instant JULY = Instant.parse("2026-07-10T12:00:00Z");
    private static final Instant NOVEMBER = Instant.parse("2026-11-21T12:00:00Z");

    /** Forty days before. */
    private static final Instant OCTOBER = Instant.parse("2026-10-12T12:00:00Z");

    private static final String DAY = "20261012";
    private static final String IDS = "event_identity_" + DAY;
    private static final Duration LOCK_WAIT = Duration.ofSeconds(2);
    private static final PartitionJob.Retention RETENTION =
            new PartitionJob.Retention(3, MauConfig.DOORS_CLOSE_AFTER, LOCK_WAIT);

    @RegisterExtension
    static final PostgresSinkFixture postgres = PostgresSinkFixture.cleared();

    private final RandomEvents made = new RandomEvents(5);

    @Test
    void run_dayThatNoDoorTakesAnyMore_losesItsIdsAndIsNotCountedTwice() {
        Instant september = Instant.parse("2026-09-10T12:00:00Z");
        FlagEvent event = event("anna", september);
        postgres.write(september, event);

        postgres.runPartitions(NOVEMBER);

        assertTrue(postgres.exists("mau_202609"));
        assertFalse(postgres.exists("event_identity_20260910"));
        BatchOutcome again = postgres.write(NOVEMBER, event);
        assertAll(
                () -> assertEquals(0, again.counted()),
                () -> assertEquals(
                        ErrorCode.DEDUPLICATION_WINDOW_PASSED,
                        again.rejected().get(0).code()));
    }

    @Test
    void run_eventIdsThatWereDetachedAndNotDropped_areDropped() {
        FlagEvent event = event("anna", OCTOBER);
        postgres.write(OCTOBER, event);
        var detached = postgres.query("alter table event_identity detach partition " + IDS + " concurrently");

        postgres.runPartitions(NOVEMBER);

        assertFalse(postgres.exists(IDS));
        assertEquals(
                ErrorCode.DEDUPLICATION_WINDOW_PASSED,
                postgres.write(NOVEMBER, event).rejected().get(0).code());
    }

    @Test
    void run_detachingThatWaitsForATransaction_givesUpAndTheNextRunEndsIt() throws Exception {
        FlagEvent event = event("anna", OCTOBER);
        postgres.write(JULY, event("anna", JULY));
        postgres.write(OCTOBER, event);
        try (Connection reader = ActiveUsersTables.at(postgres.server.port()).connect()) {
            reader.setAutoCommit(false);
            assertTrue(reader.createStatement().execute("select count(*) from event_identity"));

            assertThrows(RuntimeException.class, () -> postgres.runPartitions(NOVEMBER, RETENTION));

            assertEquals(1, detaching(), "detaching was begun");
            assertFalse(postgres.exists("mau_202607"), "one partition keeps no other one");
            reader.rollback();
        }

        postgres.runPartitions(NOVEMBER);

        assertFalse(postgres.exists(IDS));
        assertEquals(0, detaching());
    }

    @Test
    void write_dayWhoseDetachingWasCutShort_takesItBackWithItsIds() throws Exception {
        FlagEvent event = event("anna", OCTOBER);
        postgres.write(OCTOBER, event);
        try (Connection reader = ActiveUsersTables.at(postgres.server.port()).connect()) {
            reader.setAutoCommit(false);
            assertTrue(reader.createStatement().execute("select count(*) from event_identity"));
            assertThrows(RuntimeException.class, () -> postgres.runPartitions(NOVEMBER, RETENTION));
            reader.rollback();
        }

        assertEquals(new BatchOutcome(0, 1), postgres.write(NOVEMBER, event));

        assertEquals(0, detaching());
    }

    private static long detaching() {
        return postgres.number("select count(*) from pg_inherits where inhdetachpending");
    }

    @Test
    void import_ofADayWithoutEventsFortyDaysAgo_countsOnceAsLongAsTheMonthIsOpen() {
        postgres.runPartitions(OCTOBER);
        assertTrue(postgres.exists(IDS), "opened ahead");
        postgres.runPartitions(NOVEMBER);
        assertFalse(postgres.exists(IDS));
        FlagEvent event = event("anna", OCTOBER);

        assertEquals(new BatchOutcome(1, 0), importAt(NOVEMBER, event));
        assertEquals(new BatchOutcome(0, 1), importAt(NOVEMBER, event));
        postgres.runPartitions(NOVEMBER.plus(Duration.ofDays(30)));
        assertEquals(new BatchOutcome(0, 1), importAt(NOVEMBER.plus(Duration.ofDays(30)), event));
        postgres.runPartitions(NOVEMBER.plus(Duration.ofDays(100)));

        assertEquals(
                ErrorCode.MONTH_CLOSED,
                importAt(NOVEMBER.plus(Duration.ofDays(100)), event)
                        .rejected()
                        .get(0)
                        .code());
        assertEquals(1, postgres.users("202610"));
        assertEquals(0, postgres.number("select count(*) from imported_day"));
    }

    @Test
    void import_besideLiveEventsOfAnotherEnvironment_countsOnceAndRefusesTheirs() {
        FlagEvent live = event("anna", OCTOBER);
        postgres.write(OCTOBER, live);
        postgres.runPartitions(NOVEMBER);
        FlagEvent ofAnother = made.activity(new EnvironmentId("other"), "anna", SourceId.WEB, OCTOBER);

        BatchOutcome first = importAt(NOVEMBER, live, ofAnother);
        BatchOutcome again = importAt(NOVEMBER, live, ofAnother);
        postgres.runPartitions(NOVEMBER.plus(Duration.ofDays(20)));
        BatchOutcome later = importAt(NOVEMBER.plus(Duration.ofDays(20)), ofAnother);

        assertAll(
                () -> assertEquals(1, first.counted()),
                () -> assertEquals(
                        ErrorCode.DEDUPLICATION_WINDOW_PASSED,
                        first.rejected().get(0).code()),
                () -> assertEquals(live, first.rejected().get(0).event()),
                () -> assertEquals(1, first.rejected().size()),
                () -> assertEquals(0, again.counted()),
                () -> assertEquals(1, again.duplicates()),
                () -> assertEquals(1, again.rejected().size()),
                () -> assertEquals(new BatchOutcome(0, 1), later),
                () -> assertEquals(2, postgres.users("202610")));
    }

    /** A process that opened the day before its ids were dropped, and writes after another one opened it anew. */
    @Test
    void write_byAProcessThatHasNotHeardOfTheDrop_isRefusedToo() {
        FlagEvent live = event("anna", OCTOBER);
        PostgresActiveUsersSink unaware = postgres.sink(NOVEMBER);
        assertEquals(1, await(unaware.write(EventBatch.of(UTC, List.of(live)))).counted());
        var aged = postgres.query("update active_users_summary set updated_at = 0");
        postgres.runPartitions(NOVEMBER);
        var opened = postgres.query("select open_period('" + DAY + "')");

        BatchOutcome again = await(unaware.write(EventBatch.of(UTC, List.of(live))));

        assertEquals(0, again.counted());
        assertEquals(1, again.rejected().size());
    }

    @Test
    void run_dayOfAnImport_keepsItsIdsBeyondTheDoors() {
        FlagEvent event = event("anna", OCTOBER);
        assertEquals(1, importAt(OCTOBER.plus(Duration.ofDays(5)), event).counted());

        postgres.runPartitions(NOVEMBER);

        assertTrue(postgres.exists(IDS));
        assertEquals(new BatchOutcome(0, 1), importAt(NOVEMBER, event));
    }

    @Test
    void run_idsThatAreKeptForLonger_areKept() {
        FlagEvent live = event("anna", OCTOBER);
        postgres.write(OCTOBER, live);

        String unused = postgres.runPartitions(NOVEMBER, new PartitionJob.Retention(3, Duration.ofDays(60), LOCK_WAIT));

        assertEquals(new BatchOutcome(0, 1), importAt(NOVEMBER, live));
    }

    private static BatchOutcome importAt(Instant now, FlagEvent... events) {
        return await(postgres.sink(now).recognisingForGood().write(EventBatch.of(UTC, List.of(events))));
    }

    private FlagEvent event(String user, Instant time) {
        return RandomEvents.evaluation(made.id(), "flag", "v0", user, time);
    }

    private static <T> T await(Uni<T> uni) {
        return uni.await().atMost(PATIENCE);
    }
}
