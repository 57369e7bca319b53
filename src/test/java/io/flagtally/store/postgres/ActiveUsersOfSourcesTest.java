package io.flagtally.store.postgres;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagEvent;
import io.flagtally.event.GoalEvent;
import io.flagtally.event.GoalId;
import io.flagtally.event.SourceId;
import io.flagtally.event.UserId;
import io.flagtally.pipeline.BatchOutcome;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.EventBatch;
import io.flagtally.testing.ActiveUsersTables;
import io.flagtally.testing.RandomEvents;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Users of several SDKs, processes that write them at once, and the edges of months. */
class ActiveUsersOfSourcesTest {

    private static final Instant NOW = Instant.parse("2026-11-21T12:00:00Z");
    private static final BucketCalendar UTC = new BucketCalendar(ZoneOffset.UTC);
    private static final ActiveUsersRules RULES = new ActiveUsersRules(true, 4, Duration.ofSeconds(20));
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final long SEED = new Random().nextLong();

    @RegisterExtension
    static final PostgresSinkFixture postgres = PostgresSinkFixture.cleared();

    private final RandomEvents made = new RandomEvents(SEED);

    @AfterEach
    void clear() {
        ActiveUsersTables.at(postgres.server.port()).requireSummariesEqualRows();
    }

    @Test
    void write_userOfThreeSources_isOneUser() {
        write(
                UTC,
                evaluation("anna", SourceId.ANDROID, NOW),
                evaluation("anna", SourceId.IOS, NOW),
                goal("anna", SourceId.WEB, NOW),
                evaluation("ben", SourceId.WEB, NOW));

        assertAll(
                () -> assertEquals("2 users, 4 events", summary("202611", "*")),
                () -> assertEquals("2 users, 2 events", summary("202611", "WEB")),
                () -> assertEquals("1 users, 1 events", summary("202611", "IOS")),
                () -> assertEquals("2 users, 4 events", summary("20261121", "*")));
    }

    @Test
    void write_userOnSeveralDays_isOneUserOfTheMonth() {
        write(UTC, evaluation("anna", SourceId.WEB, NOW), evaluation("anna", SourceId.WEB, NOW.minusSeconds(86_400)));
        write(UTC, evaluation("anna", SourceId.IOS, NOW));

        assertAll(
                () -> assertEquals("1 users, 3 events", summary("202611", "*")),
                () -> assertEquals("1 users, 1 events", summary("20261120", "*")),
                () -> assertEquals("1 users, 2 events", summary("20261121", "*")));
    }

    @Test
    void write_edgeOfAMonth_landsOnEachSide() {
        write(UTC, at("anna", "2026-10-31T23:59:59Z"), at("anna", "2026-11-01T00:00:00Z"));

        assertAll(
                () -> assertEquals("1 users, 1 events", summary("202610", "*")),
                () -> assertEquals("1 users, 1 events", summary("202611", "*")));
    }

    @Test
    void write_halfHourZone_cutsAtItsMidnight() {
        write(
                new BucketCalendar(ZoneId.of("Asia/Kolkata")),
                at("anna", "2026-10-31T18:29:59Z"),
                at("ben", "2026-10-31T18:30:00Z"));

        assertAll(
                () -> assertEquals("1 users, 1 events", summary("20261031", "*")),
                () -> assertEquals("1 users, 1 events", summary("202611", "*")));
    }

    @Test
    void write_leapDay_isADayOfItsOwn() {
        write(
                UTC,
                at("anna", "2028-02-28T23:59:59Z"),
                at("anna", "2028-02-29T00:00:00Z"),
                at("ben", "2028-02-29T23:59:59Z"),
                at("anna", "2028-03-01T00:00:00Z"));

        assertAll(
                () -> assertEquals("2 users, 2 events", summary("20280229", "*")),
                () -> assertEquals("2 users, 3 events", summary("202802", "*")),
                () -> assertEquals("1 users, 1 events", summary("20280301", "*")));
    }

    /** In Berlin, 29 March 2026 has 23 hours, 25 October 25, and November begins in winter time. */
    @Test
    void write_daylightSavingZone_cutsAtItsMidnights() {
        write(
                new BucketCalendar(ZoneId.of("Europe/Berlin")),
                at("anna", "2026-03-28T23:00:00Z"),
                at("anna", "2026-03-29T21:59:59Z"),
                at("ben", "2026-03-29T22:00:00Z"),
                at("anna", "2026-10-24T22:00:00Z"),
                at("anna", "2026-10-25T22:59:59Z"),
                at("ben", "2026-10-25T23:00:00Z"),
                at("anna", "2026-10-31T22:59:59Z"),
                at("ben", "2026-10-31T23:00:00Z"));

        assertAll(
                () -> assertEquals("1 users, 2 events", summary("20260329", "*")),
                () -> assertEquals("1 users, 1 events", summary("20260330", "*")),
                () -> assertEquals("1 users, 2 events", summary("20261025", "*")),
                () -> assertEquals("1 users, 1 events", summary("20261026", "*")),
                () -> assertEquals("2 users, 4 events", summary("202610", "*")),
                () -> assertEquals("1 users, 1 events", summary("202611", "*")));
    }

    @Test
    void write_anHourAhead_landsInTheNextMonth() {
        PostgresActiveUsersSink sink =
                postgres.sink(postgres.server.port(), UTC, RULES, Instant.parse("2026-11-30T23:30:00Z"));

        write(sink, List.of(at("anna", "2026-12-01T00:29:00Z")));

        assertEquals("1 users, 1 events", summary("202612", "*"));
    }

    @Test
    void write_lateEvent_landsInItsMonthAndSaysWhen() {
        write(UTC, at("anna", "2026-10-25T12:00:00Z"), at("ben", "2026-11-21T11:00:00Z"));

        assertAll(
                () -> assertEquals("1 users, 1 events", summary("202610", "*")),
                () -> assertEquals(NOW.getEpochSecond(), revised("202610")),
                () -> assertEquals(0, revised("202611")));
    }

    @Test
    void write_closedMonth_isRejectedAndItsNeighboursCount() {
        PostgresActiveUsersSink sink = postgres.sink(postgres.server.port(), UTC, RULES, NOW);
        write(sink, List.of(at("anna", "2026-10-25T12:00:00Z")));
        close("202610");

        BatchOutcome outcome =
                write(sink, List.of(at("ben", "2026-10-25T12:00:00Z"), at("ben", "2026-11-01T12:00:00Z")));

        assertAll(
                () -> assertEquals(1, outcome.counted()),
                () -> assertEquals(1, outcome.rejected().size()),
                () -> assertTrue(outcome.rejected().get(0).detail().contains("month closed")),
                () -> assertEquals("1 users, 1 events", summary("202611", "*")));
        var unused = postgres.query("delete from active_users_summary where period like '202610%'");
    }

    /** Detaches and drops while the sink takes the partition to be there, as another process would. */
    private static void close(String month) {
        for (String table : List.of("mau", "mau_user")) {
            var unused = postgres.query("alter table " + table + " detach partition " + table + "_" + month);
            unused = postgres.query("drop table " + table + "_" + month);
        }
        var unused = postgres.query("insert into closed_period values ($1, 0)", month);
    }

    @Test
    void write_sameUsersFromTwoSinksUnderTwoSources_areUnique() {
        PostgresActiveUsersSink one = postgres.sink(postgres.server.port(), UTC, RULES, NOW);
        PostgresActiveUsersSink other = postgres.sink(postgres.server.port(), UTC, RULES, NOW);
        Random random = new Random(SEED);
        List<Uni<BatchOutcome>> writes = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            List<FlagEvent> web = new ArrayList<>();
            List<FlagEvent> ios = new ArrayList<>();
            for (int user = 0; user < 200; user++) {
                web.add(evaluation("u" + (i * 50 + user), SourceId.WEB, NOW.minusSeconds(random.nextInt(400_000))));
                ios.add(evaluation("u" + (i * 50 + user), SourceId.IOS, NOW.minusSeconds(random.nextInt(400_000))));
            }
            Collections.shuffle(web, random);
            Collections.shuffle(ios, random);
            writes.add(one.write(EventBatch.of(UTC, web)));
            writes.add(other.write(EventBatch.of(UTC, ios)));
        }

        List<BatchOutcome> outcomes =
                Uni.join().all(writes).andFailFast().await().atMost(PATIENCE);

        long counted = outcomes.stream().mapToLong(BatchOutcome::counted).sum();
        assertAll(
                () -> assertEquals(8_000, counted, () -> "seed " + SEED),
                () -> assertEquals("1150 users, 8000 events", summary("202611", "*")),
                () -> assertEquals("1150 users, 4000 events", summary("202611", "IOS")));
    }

    private static <T> T await(Uni<T> uni) {
        return uni.await().atMost(PATIENCE);
    }

    private BatchOutcome write(BucketCalendar calendar, FlagEvent... events) {
        return write(postgres.sink(postgres.server.port(), calendar, RULES, NOW), List.of(events));
    }

    private static BatchOutcome write(PostgresActiveUsersSink sink, List<FlagEvent> events) {
        return await(sink.write(EventBatch.of(UTC, events)));
    }

    private FlagEvent at(String user, String time) {
        return evaluation(user, SourceId.WEB, Instant.parse(time));
    }

    private FlagEvent evaluation(String user, SourceId source, Instant time) {
        return made.activity(EnvironmentId.DEFAULT, user, source, time);
    }

    private FlagEvent goal(String user, SourceId source, Instant time) {
        return new GoalEvent(made.id(), EnvironmentId.DEFAULT, new GoalId("goal"), 1, new UserId(user), time, source);
    }

    private static String summary(String period, String source) {
        return postgres.query(
                        "select coalesce(sum(user_count), 0) || ' users, ' || coalesce(sum(event_count), 0) || ' events'"
                                + " from active_users_summary where period = $1 and source_id = $2",
                        period,
                        source)
                .iterator()
                .next()
                .getString(0);
    }

    private static long revised(String period) {
        return postgres.number(
                "select max(revised_at) from active_users_summary where period = $1 and source_id = '*'", period);
    }
}
