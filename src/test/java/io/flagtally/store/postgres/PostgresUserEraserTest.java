package io.flagtally.store.postgres;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.codec.EventHeaders;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagEvent;
import io.flagtally.event.SourceId;
import io.flagtally.event.UserId;
import io.flagtally.pipeline.BatchOutcome;
import io.flagtally.pipeline.DeadLetter;
import io.flagtally.pipeline.UserEraser.Erasure;
import io.flagtally.pipeline.UserEraser.Removed;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.EventBatch;
import io.flagtally.testing.ActiveUsersTables;
import io.flagtally.testing.RandomEvents;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.SqlConnection;
import io.vertx.mutiny.sqlclient.Tuple;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A person leaves, alone and while processes write her. */
class PostgresUserEraserTest {

    private static final Instant NOW = Instant.parse("2026-11-21T12:00:00Z");
    private static final Instant OCTOBER = Instant.parse("2026-10-30T12:00:00Z");
    private static final BucketCalendar UTC = new BucketCalendar(ZoneOffset.UTC);
    private static final ActiveUsersRules RULES = new ActiveUsersRules(true, 4, Duration.ofSeconds(60));
    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final long SEED = new Random().nextLong();

    @RegisterExtension
    static final PostgresSinkFixture postgres = PostgresSinkFixture.cleared();

    private final RandomEvents made = new RandomEvents(SEED);
    private PostgresUserEraser eraser;

    @BeforeEach
    void open() {
        eraser = new PostgresUserEraser(postgres.pool(postgres.server.port()), UTC, InstantSource.fixed(NOW));
    }

    @AfterEach
    void clear() {
        ActiveUsersTables.at(postgres.server.port()).requireSummariesEqualRows();
        var unused = postgres.query("truncate dead_letter");
    }

    @Test
    void erase_userOfSourcesAndMonths_isGoneFromRowsAndSums() {
        FlagEvent old = event("anna", SourceId.ANDROID, OCTOBER);
        write(
                old,
                event("anna", SourceId.ANDROID, NOW),
                event("anna", SourceId.IOS, NOW),
                event("anna", SourceId.IOS, NOW.minusSeconds(86_400)),
                event("ben", SourceId.IOS, NOW));

        Erasure erasure = erase("anna");

        assertAll(
                () -> assertEquals(
                        new Removed("rows of active users", 3),
                        erasure.removed().get(0)),
                () -> assertEquals("1 users, 1 events", sum("202611", "*")),
                () -> assertEquals("1 users, 1 events", sum("202611", "IOS")),
                () -> assertEquals("0 users, 0 events", sum("202611", "ANDROID")),
                () -> assertEquals("0 users, 0 events", sum("202610", "*")),
                () -> assertEquals("1 users, 3 events", sum("20261121", "*")),
                () -> assertEquals(0, rows("mau", "anna") + rows("mau_user", "anna")),
                () -> assertEquals(1, rows("mau", "ben")));
        assertEquals(0, erase("anna").removed().get(0).count(), "the same again changes nothing");
        assertEquals(new BatchOutcome(0, 1), write(old), "a repeat does not bring her back");
        write(event("anna", SourceId.IOS, NOW));
        assertEquals("2 users, 2 events", sum("202611", "*"));
    }

    @Test
    void erase_monthsWithoutThePerson_areNotRevised() {
        write(event("ben", SourceId.WEB, OCTOBER), event("anna", SourceId.IOS, NOW));
        var opened = postgres.query("select open_period('202609')");
        var before = postgres.query("update active_users_summary set revised_at = null");

        assertEquals(1, erase("anna").removed().get(0).count());

        assertEquals(0, postgres.number("select count(*) from active_users_summary where revised_at is not null"));
        assertEquals(0, postgres.number("select count(*) from active_users_summary where period like '202609%'"));
    }

    @Test
    void erase_whileHerFirstRowIsBeingWritten_waitsForItAndTakesIt() {
        write(event("ben", SourceId.WEB, NOW));
        SqlConnection writer = await(postgres.pool(postgres.server.port()).getConnection());
        await(writer.query("begin").execute());
        await(writer.preparedQuery(ActiveUsersStatements.UPSERT_USERS).execute(user("anna")));

        CompletableFuture<Erasure> erasing =
                eraser.erase(EnvironmentId.DEFAULT, new UserId("anna")).subscribeAsCompletionStage();
        awaitABlockedBackend();
        assertFalse(erasing.isDone());
        await(writer.preparedQuery(ActiveUsersStatements.UPSERT_USERS_OF_SOURCES)
                .execute(Tuple.tuple()
                        .addArrayOfString(new String[] {"default"})
                        .addArrayOfString(new String[] {"202611"})
                        .addArrayOfString(new String[] {"WEB"})
                        .addArrayOfString(new String[] {"anna"})
                        .addArrayOfLong(new Long[] {1L})
                        .addArrayOfInteger(new Integer[] {1 << 20})
                        .addLong(NOW.getEpochSecond())));
        for (String source : List.of("*", "WEB")) {
            for (String period : List.of("202611", "20261121")) {
                await(writer.preparedQuery(
                                "insert into active_users_summary values ('default', $1, $2, 3, 1, 1, 1, null)"
                                        + " on conflict (environment_namespace, period, source_id, shard) do update"
                                        + " set user_count = active_users_summary.user_count + 1,"
                                        + " event_count = active_users_summary.event_count + 1")
                        .execute(Tuple.of(period, source)));
            }
        }
        await(writer.query("commit").execute());
        await(writer.close());

        assertEquals(1, erasing.join().removed().get(0).count());
        assertEquals(0, rows("mau", "anna") + rows("mau_user", "anna"));
        assertEquals("1 users, 1 events", sum("202611", "*"));
    }

    @Test
    void erase_besideWritersAtFullSpeed_leavesSumsThatEqualTheRows() {
        AtomicBoolean stop = new AtomicBoolean();
        AtomicLong counted = new AtomicLong();
        List<CompletableFuture<Void>> writers = new ArrayList<>();
        for (int w = 0; w < 3; w++) {
            PostgresActiveUsersSink sink = postgres.sink(postgres.server.port(), UTC, RULES, NOW);
            Random random = new Random(SEED + w);
            RandomEvents own = new RandomEvents(SEED + w);
            writers.add(CompletableFuture.runAsync(() -> {
                while (!stop.get()) {
                    List<FlagEvent> events = new ArrayList<>();
                    for (int i = 0; i < 60; i++) {
                        events.add(own.activity(
                                EnvironmentId.DEFAULT,
                                "user-" + random.nextInt(12),
                                random.nextBoolean() ? SourceId.WEB : SourceId.IOS,
                                random.nextInt(4) == 0 ? OCTOBER : NOW.minusSeconds(random.nextInt(5 * 86_400))));
                    }
                    counted.addAndGet(
                            await(sink.write(EventBatch.of(UTC, events))).counted());
                }
            }));
        }
        long erased = 0;
        for (int round = 0; round < 60; round++) {
            erased += erase("user-" + round % 12).removed().get(0).count();
        }
        stop.set(true);
        writers.forEach(CompletableFuture::join);

        ActiveUsersTables.at(postgres.server.port()).requireSummariesEqualRows();
        assertTrue(erased > 0 && counted.get() > 0, "seed " + SEED);
        for (int user = 0; user < 12; user++) {
            erase("user-" + user);
        }
        assertEquals("0 users, 0 events", sum("202611", "*"), "seed " + SEED);
        assertEquals("0 users, 0 events", sum("202610", "*"), "seed " + SEED);
        assertEquals(0, postgres.number("select count(*) from mau_user") + postgres.number("select count(*) from mau"));
    }

    @Test
    void erase_deadLetters_ofTheUserOnly() {
        PostgresDeadLetters letters = new PostgresDeadLetters(postgres.pool(postgres.server.port()));
        await(letters.put(List.of(
                letter("{\"userId\":\"anna\"}"),
                letter("{\"user\":{\"id\":\"\\u0061nna\"}}"),
                letter("broken anna{"),
                letter("{\"userId\":\"annabel\"}"),
                letter("{\"userId\":\"ben\",\"note\":\"\\\\\"}"))));

        Erasure erasure = erase("anna");

        assertEquals(new Removed("dead letters", 3), erasure.removed().get(1));
        assertEquals(2, postgres.number("select count(*) from dead_letter"));
    }

    @Test
    void erase_closedMonths_areListed() {
        var unused = postgres.query("insert into closed_period values ('202601', 1), ('20260101', 1)");

        List<String> remaining = erase("anna").remaining();

        assertTrue(
                remaining.stream().anyMatch(sentence -> sentence.contains("closed months 202601:")),
                remaining.toString());
    }

    private Erasure erase(String user) {
        return await(eraser.erase(EnvironmentId.DEFAULT, new UserId(user)));
    }

    private static Tuple user(String user) {
        return Tuple.of(
                new String[] {"default"}, new String[] {"202611"}, new String[] {user}, new Integer[] {1 << 20});
    }

    private static void awaitABlockedBackend() {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (postgres.number("select count(*) from pg_stat_activity where wait_event_type = 'Lock'") == 0) {
            assertTrue(System.nanoTime() < deadline, "the erasure does not wait");
        }
    }

    private static DeadLetter letter(String payload) {
        return new DeadLetter(
                new EventHeaders(EnvironmentId.DEFAULT, SourceId.WEB, "application/json", 1, NOW),
                "",
                ErrorCode.SINK_REJECTED,
                "test",
                payload.getBytes(StandardCharsets.UTF_8),
                NOW);
    }

    private BatchOutcome write(FlagEvent... events) {
        PostgresActiveUsersSink sink = postgres.sink(postgres.server.port(), UTC, RULES, NOW);
        return await(sink.write(EventBatch.of(UTC, List.of(events))));
    }

    private FlagEvent event(String user, SourceId source, Instant time) {
        return made.activity(EnvironmentId.DEFAULT, user, source, time);
    }

    private static long rows(String table, String user) {
        return postgres.number("select count(*) from " + table + " where user_id = $1", user);
    }

    private static String sum(String period, String source) {
        return postgres.query(
                        "select coalesce(sum(user_count), 0) || ' users, ' || coalesce(sum(event_count), 0) || ' events'"
                                + " from active_users_summary where period = $1 and source_id = $2",
                        period,
                        source)
                .iterator()
                .next()
                .getString(0);
    }

    private static <T> T await(Uni<T> uni) {
        return uni.await().atMost(PATIENCE);
    }
}
