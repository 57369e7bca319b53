package io.flagtally.store.postgres;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagEvent;
import io.flagtally.event.SourceId;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.EventBatch;
import io.flagtally.series.ActivityReading;
import io.flagtally.series.DateSpan;
import io.flagtally.series.MonthOfEnvironments;
import io.flagtally.series.PeriodActivity;
import io.flagtally.testing.ActiveUsersTables;
import io.flagtally.testing.RandomEvents;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Pool;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.RowSet;
import io.vertx.mutiny.sqlclient.SqlConnection;
import io.vertx.mutiny.sqlclient.Tuple;
import java.sql.Connection;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.YearMonth;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the reader says of four months of random events equals what a plain count of the events says. */
class PostgresActiveUsersReaderTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final long SEED = new Random().nextLong();
    private static final BucketCalendar CALENDAR = new BucketCalendar(ZoneId.of("Asia/Kolkata"));
    private static final Instant NOW = Instant.parse("2028-04-15T12:00:00Z");
    private static final EnvironmentId ENVIRONMENT = new EnvironmentId("shop");
    private static final EnvironmentId ONE_SOURCE = new EnvironmentId("phones");
    private static final SourceId[] SOURCES = {SourceId.WEB, SourceId.IOS, SourceId.OPEN_FEATURE_GO};
    private static final LocalDate FIRST = LocalDate.of(2028, 1, 10);
    private static final LocalDate LAST = LocalDate.of(2028, 4, 14);

    @RegisterExtension
    static final PostgresSinkFixture postgres = PostgresSinkFixture.shared();

    private static PostgresActiveUsersReader reader;
    private static final List<FlagEvent> EVENTS = new ArrayList<>();

    @BeforeAll
    static void start() {
        reader = new PostgresActiveUsersReader(postgres.pool(postgres.server.port()), PATIENCE);
        Random random = new Random(SEED);
        RandomEvents made = new RandomEvents(SEED);
        for (int i = 0; i < 5_000; i++) {
            EVENTS.add(made.activity(
                    random.nextInt(10) == 0 ? EnvironmentId.DEFAULT : ENVIRONMENT,
                    "user-" + random.nextInt(400),
                    SOURCES[random.nextInt(3)],
                    CALENDAR.dayStart(FIRST).plusSeconds(random.nextInt(95 * 86_400))));
        }
        for (int i = 0; i < 300; i++) {
            EVENTS.add(made.activity(
                    ONE_SOURCE,
                    "user-" + random.nextInt(40),
                    SourceId.IOS,
                    CALENDAR.dayStart(LAST).minusSeconds(random.nextInt(30 * 86_400))));
        }
        PostgresActiveUsersSink sink = postgres.sink(
                postgres.server.port(), CALENDAR, new ActiveUsersRules(true, 3, Duration.ofSeconds(30)), NOW);
        for (int i = 0; i < EVENTS.size(); i += 700) {
            var unused = sink.write(EventBatch.of(CALENDAR, EVENTS.subList(i, Math.min(i + 700, EVENTS.size()))))
                    .await()
                    .indefinitely();
        }
    }

    @Test
    void months_randomEvents_equalAPlainCount() {
        List<PeriodActivity> months = reader.months(
                        List.of(ENVIRONMENT, EnvironmentId.DEFAULT), YearMonth.of(2028, 1), YearMonth.of(2028, 4))
                .await()
                .indefinitely()
                .activity();

        Function<LocalDate, Stream<DateSpan>> month = day -> Stream.of(
                new DateSpan(day.withDayOfMonth(1), YearMonth.from(day).atEndOfMonth()));
        Map<String, String> expected = plainCount(month, ENVIRONMENT);
        expected.putAll(plainCount(month, EnvironmentId.DEFAULT));
        assertEquals(expected, text(months), () -> "seed " + SEED);
    }

    @Test
    void days_randomEvents_equalAPlainCount() {
        List<PeriodActivity> days = reader.days(ENVIRONMENT, new DateSpan(FIRST, LAST))
                .await()
                .indefinitely()
                .activity();

        assertEquals(
                plainCount(day -> Stream.of(new DateSpan(day, day)), ENVIRONMENT), text(days), () -> "seed " + SEED);
    }

    @Test
    void spans_rollingOverAFebruary_equalAPlainCount() {
        List<DateSpan> spans = LocalDate.of(2028, 2, 20)
                .datesUntil(LocalDate.of(2028, 3, 20))
                .map(day -> new DateSpan(day.minusDays(29), day))
                .toList();

        List<PeriodActivity> rolling =
                reader.spans(ENVIRONMENT, spans, null).await().indefinitely().activity();

        assertEquals(
                plainCount(
                        day -> spans.stream().filter(s -> !day.isBefore(s.from()) && !day.isAfter(s.to())),
                        ENVIRONMENT),
                text(rolling),
                () -> "seed " + SEED);
    }

    /** A table that is locked is not read: all users are those of the only SDK, and one that was asked for needs no others. */
    @Test
    void spans_ofOneSource_equalAPlainCountAndTakeOnePass() throws Exception {
        List<DateSpan> spans = LocalDate.of(2028, 3, 20)
                .datesUntil(LocalDate.of(2028, 4, 10))
                .map(day -> new DateSpan(day.minusDays(27), day))
                .toList();
        Function<LocalDate, Stream<DateSpan>> spansOf =
                day -> spans.stream().filter(s -> !day.isBefore(s.from()) && !day.isAfter(s.to()));
        Map<String, String> ofWeb = plainCount(spansOf, ENVIRONMENT);
        ofWeb.keySet().removeIf(key -> !key.endsWith(" WEB"));

        assertEquals(
                plainCount(spansOf, ONE_SOURCE),
                spansWhileLocked("mau", ONE_SOURCE, spans, null),
                () -> "seed " + SEED);
        assertEquals(ofWeb, spansWhileLocked("mau_user", ENVIRONMENT, spans, SourceId.WEB), () -> "seed " + SEED);
    }

    private static Map<String, String> spansWhileLocked(
            String table, EnvironmentId environment, List<DateSpan> spans, @Nullable SourceId only) throws Exception {
        try (Connection lock = ActiveUsersTables.at(postgres.server.port()).connect()) {
            lock.setAutoCommit(false);
            boolean unused = lock.createStatement().execute("lock table " + table + " in access exclusive mode");
            return text(reader.spans(environment, spans, only)
                    .await()
                    .atMost(PATIENCE)
                    .activity());
        }
    }

    /** The rows go while the read waits for their table. */
    @Test
    void spans_monthIsClosedDuringTheRead_knowNoUsers() throws Exception {
        EnvironmentId closing = new EnvironmentId("closing");
        DateSpan span = new DateSpan(LocalDate.of(2027, 5, 8), LocalDate.of(2027, 5, 14));
        Instant then = CALENDAR.dayStart(LocalDate.of(2027, 5, 10));
        var written = postgres.write(NOW, new RandomEvents(1).activity(closing, "anna", SourceId.WEB, then));
        assertEquals(1, written.counted());
        CompletableFuture<ActivityReading> reading;
        try (Connection job = ActiveUsersTables.at(postgres.server.port()).connect()) {
            job.setAutoCommit(false);
            boolean unused = job.createStatement().execute("lock table mau, mau_user in access exclusive mode");
            reading = reader.spans(closing, List.of(span), null).subscribeAsCompletionStage();
            await().atMost(PATIENCE)
                    .until(() -> postgres.number("select count(*) from pg_locks where relation = 'mau_user'::regclass"
                                    + " and not granted")
                            == 1);
            for (String statement : List.of(
                    "insert into closed_period values ('202705', 0)",
                    "alter table mau detach partition mau_202705",
                    "alter table mau_user detach partition mau_user_202705",
                    "drop table mau_202705, mau_user_202705")) {
                unused = job.createStatement().execute(statement);
            }
            job.commit();
        }

        List<PeriodActivity> weeks = reading.get(60, TimeUnit.SECONDS).activity();

        assertEquals(2, weeks.size(), "all SDKs, and one");
        weeks.forEach(week -> assertNull(week.users()));
        weeks.forEach(week -> assertEquals(1, week.events()));
        var mended = postgres.query("delete from closed_period");
    }

    @Test
    void spans_ofAClosedMonth_knowNoUsers() {
        var unused = postgres.query("insert into closed_period values ('202801', 0)");
        DateSpan span = new DateSpan(LocalDate.of(2028, 1, 30), LocalDate.of(2028, 2, 5));

        List<PeriodActivity> weeks = reader.spans(ENVIRONMENT, List.of(span), null)
                .await()
                .indefinitely()
                .activity();

        weeks.forEach(week -> assertNull(week.users()));
        var mended = postgres.query("delete from closed_period");
    }

    @Test
    void months_closedAndWithoutEvents_areSaidToBeClosed() {
        var unused = postgres.query("insert into closed_period values ('202801', 0), ('202712', 0), ('20271201', 0)");

        ActivityReading reading = reader.months(
                        List.of(new EnvironmentId("nobody")), YearMonth.of(2027, 11), YearMonth.of(2028, 4))
                .await()
                .indefinitely();

        assertEquals(List.of(), reading.activity());
        assertEquals(Set.of(YearMonth.of(2027, 12), YearMonth.of(2028, 1)), reading.closed());
        var mended = postgres.query("delete from closed_period");
    }

    @Test
    void month_moreEnvironmentsThanAsked_countsThoseLeftOut() {
        MonthOfEnvironments month =
                reader.month(YearMonth.of(2028, 2), 1).await().indefinitely();

        assertEquals(1, month.activity().size());
        assertEquals(1, month.leftOut());
        assertEquals(
                0, reader.month(YearMonth.of(2028, 2), 2).await().indefinitely().leftOut());
        assertEquals(
                0, reader.month(YearMonth.of(2020, 2), 2).await().indefinitely().leftOut());
    }

    /** Between two statements of the read, which waits for a lock in between, a month is closed. */
    @Test
    void snapshot_besideAWrite_showsOneState() throws Exception {
        String count = "select count(*) from closed_period";
        CompletableFuture<List<Long>> read;
        try (Connection lock = ActiveUsersTables.at(postgres.server.port()).connect()) {
            lock.setAutoCommit(false);
            assertTrue(lock.createStatement().execute("select pg_advisory_xact_lock(77)"));
            read = HeldConnection.use(
                            postgres.pool(postgres.server.port()),
                            connection -> new ReadSnapshot(Duration.ofSeconds(60))
                                    .read(
                                            connection,
                                            client -> Uni.combine()
                                                    .all()
                                                    .unis(
                                                            client.query(count).execute(),
                                                            client.query("select pg_advisory_xact_lock(77)")
                                                                    .execute(),
                                                            client.query(count).execute())
                                                    .with((before, locked, after) ->
                                                            List.of(number(before), number(after)))))
                    .subscribeAsCompletionStage();
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> postgres.number("select count(*) from pg_locks where locktype = 'advisory'"
                                    + " and objid = 77 and not granted")
                            == 1);
            var closed = postgres.query("insert into closed_period values ('202801', 0)");
            lock.rollback();
        }

        assertEquals(List.of(0L, 0L), read.get(60, TimeUnit.SECONDS));
        assertEquals(1, postgres.number(count));
        var mended = postgres.query("delete from closed_period");
    }

    @Test
    void snapshot_statementThatTakesTooLong_endsInPostgres() {
        Pool pool = postgres.pool(postgres.server.port(), 1);

        Throwable failure = HeldConnection.use(
                        pool,
                        connection -> new ReadSnapshot(Duration.ofMillis(100))
                                .read(
                                        connection,
                                        client -> client.query("select pg_sleep(600)")
                                                .execute()))
                .onItem()
                .<Throwable>transform(rows -> new AssertionError("it went on to its end"))
                .onFailure()
                .recoverWithItem(Function.identity())
                .await()
                .atMost(Duration.ofSeconds(60));

        assertTrue(failure.toString().contains("57014"), failure::toString);
        assertEquals(
                1,
                pool.query("select 1")
                        .execute()
                        .await()
                        .atMost(Duration.ofSeconds(60))
                        .size(),
                "the connection is free again");
    }

    @Test
    void snapshot_laterStatement_mayTakeWhatIsLeft() {
        String allowed = "select setting::bigint from pg_settings where name = 'statement_timeout'";

        List<Long> millis = HeldConnection.use(
                        postgres.pool(),
                        connection -> new ReadSnapshot(PATIENCE)
                                .readInTurn(
                                        connection,
                                        turns -> turns.run(allowed, Tuple.tuple())
                                                .chain(first -> turns.run("select pg_sleep(0.5)", Tuple.tuple())
                                                        .chain(slept -> turns.run(allowed, Tuple.tuple()))
                                                        .map(last -> List.of(number(first), number(last))))))
                .await()
                .atMost(PATIENCE);

        assertTrue(millis.get(0) <= PATIENCE.toMillis(), millis::toString);
        assertTrue(millis.get(1) <= millis.get(0) - 500, millis::toString);
    }

    @Test
    void spans_connectionThatComesTooLate_isNotUsed() {
        Duration patience = Duration.ofMillis(300);
        Pool pool = postgres.pool(postgres.server.port(), 1);
        SqlConnection only = pool.getConnection().await().atMost(PATIENCE);
        long begun = System.nanoTime();
        CompletableFuture<ActivityReading> reading = new PostgresActiveUsersReader(pool, patience)
                .spans(ENVIRONMENT, List.of(new DateSpan(FIRST, LAST)), null)
                .subscribeAsCompletionStage();
        await().atMost(PATIENCE).until(() -> System.nanoTime() - begun > patience.toNanos());
        only.close().await().atMost(PATIENCE);

        CompletionException failure = assertThrows(
                CompletionException.class,
                () -> reading.orTimeout(60, TimeUnit.SECONDS).join());

        assertTrue(failure.toString().contains("took longer than 300 ms"), failure::toString);
    }

    private static long number(RowSet<Row> rows) {
        return rows.iterator().next().getLong(0);
    }

    private static Map<String, String> text(List<PeriodActivity> activity) {
        Map<String, String> text = new TreeMap<>();
        activity.forEach(a ->
                text.put(key(a.environment(), a.dates(), a.source()), a.users() + " users, " + a.events() + " events"));
        return text;
    }

    private static String key(EnvironmentId environment, DateSpan dates, @Nullable SourceId source) {
        return environment + " " + dates.from() + " " + dates.to() + " " + source;
    }

    private static Map<String, String> plainCount(
            Function<LocalDate, Stream<DateSpan>> spansOf, EnvironmentId environment) {
        Map<String, List<String>> users = new TreeMap<>();
        for (FlagEvent event : EVENTS) {
            LocalDate day = event.time().atZone(CALENDAR.zone()).toLocalDate();
            if (event.environment().equals(environment)) {
                spansOf.apply(day).forEach(span -> {
                    for (SourceId source : new SourceId[] {event.source(), null}) {
                        users.computeIfAbsent(key(environment, span, source), k -> new ArrayList<>())
                                .add(event.user().value());
                    }
                });
            }
        }
        Map<String, String> text = new TreeMap<>();
        users.forEach(
                (key, all) -> text.put(key, all.stream().distinct().count() + " users, " + all.size() + " events"));
        return text;
    }
}
