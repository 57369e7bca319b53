package io.flagtally.benchmark;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.EvaluationEvent;
import io.flagtally.event.FlagEvent;
import io.flagtally.event.FlagId;
import io.flagtally.event.Reason;
import io.flagtally.event.SourceId;
import io.flagtally.event.UserId;
import io.flagtally.event.VariationId;
import io.flagtally.rollup.Activity;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.EventBatch;
import io.flagtally.store.postgres.ActiveUsersParts;
import io.flagtally.store.postgres.ActiveUsersRules;
import io.flagtally.store.postgres.PostgresActiveUsersReader;
import io.flagtally.store.postgres.PostgresActiveUsersSink;
import io.flagtally.testing.PostgresServerForTests;
import io.flagtally.testing.RandomEvents;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.core.Vertx;
import io.vertx.mutiny.pgclient.PgBuilder;
import io.vertx.mutiny.sqlclient.Pool;
import io.vertx.mutiny.sqlclient.Tuple;
import io.vertx.pgclient.PgConnectOptions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.Supplier;

/**
 * The sink of active users alone, with and without recognising repeats, against the straightforward way of one upsert an
 * event, and against the rows of {@code mau} alone in one statement a flush; then a month's number from the sums against
 * counting the rows. Everything on disk before it counts.
 *
 * <p>{@code mau read [millions]} loads so many million events of a twentieth as many users into a month, and a few into the
 * eleven months before it, without their ids, which no read looks at, and reads.
 */
final class MauBenchmark {

    private static final Instant NOW = Instant.parse("2026-11-21T12:00:00Z");
    private static final BucketCalendar UTC = new BucketCalendar(ZoneOffset.UTC);
    private static final int USERS = 200_000;
    private static final int EVENTS = 400_000;
    private static final int STRAIGHTFORWARD_EVENTS = 40_000;
    private static final int COMMITTED_EVENTS = 4_000;
    private static final int BATCH = 10_000;
    private static final int IN_FLIGHT = 2;
    private static final int READS = 2_000;
    private static final int EVENTS_A_USER = 20;
    private static final Duration PATIENCE = Duration.ofMinutes(10);
    private static final SourceId[] SOURCES = {SourceId.WEB, SourceId.IOS, SourceId.ANDROID};

    private static final String ONE_ROW = "insert into mau (user_id, yearmonth, source_id, event_count, created_at,"
            + " updated_at, environment_namespace, days, days_before) values ($1, $2, $3, 1, $4, $4, $5, 0, 0)"
            + " on conflict (environment_namespace, yearmonth, source_id, user_id)"
            + " do update set event_count = mau.event_count + 1, updated_at = excluded.updated_at";

    private final Vertx vertx = Vertx.vertx();
    private final PostgresServerForTests server = PostgresServerForTests.start();
    private final Pool pool = PgBuilder.pool()
            .connectingTo(new PgConnectOptions()
                    .setHost("127.0.0.1")
                    .setPort(server.port())
                    .setDatabase("postgres")
                    .setUser("postgres")
                    .setPassword("postgres")
                    .setCachePreparedStatements(true)
                    .setPipeliningLimit(256))
            .using(vertx)
            .build();
    private final PostgresMeter meter = new PostgresMeter(pool);

    private static final String ROWS_ALONE = "insert into mau (environment_namespace, yearmonth, source_id, user_id,"
            + " event_count, days, days_before, created_at, updated_at) select 'default', '202611', s, u, n, d, 0, $5, $5"
            + " from unnest($1::text[], $2::text[], $3::bigint[], $4::int[]) as row(s, u, n, d)"
            + " on conflict (environment_namespace, yearmonth, source_id, user_id) do update"
            + " set event_count = mau.event_count + excluded.event_count, days_before = mau.days,"
            + " days = mau.days | excluded.days, updated_at = excluded.updated_at";

    static void main(String[] args) {
        MauBenchmark benchmark = new MauBenchmark();
        try {
            if (args.length > 0 && args[0].equals("read")) {
                benchmark.read(args.length > 1 ? Integer.parseInt(args[1]) : 20);
            } else if (args.length > 0 && args[0].equals("parts")) {
                benchmark.parts();
            } else {
                benchmark.write();
            }
        } finally {
            benchmark.pool.close().await().atMost(PATIENCE);
            benchmark.server.close();
            benchmark.vertx.close().await().atMost(PATIENCE);
        }
    }

    private void write() {
        List<EventBatch> batches = batches(new Random(), USERS, EVENTS);
        openMonth("202611");
        System.out.printf(
                "%-46s %9s %16s %17s %12s%n",
                "way", "events/s", "PostgreSQL \u00b5s", "this process \u00b5s", "log bytes");
        row("one upsert an event, each committed", COMMITTED_EVENTS, this::eachCommitted);
        empty();
        row("one upsert an event, in transactions of 1,000", STRAIGHTFORWARD_EVENTS, this::straightforward);
        empty();
        row("rows of mau alone, users new", EVENTS, () -> rowsAlone(batches));
        row("rows of mau alone, users known", EVENTS, () -> rowsAlone(batches));
        empty();
        row("sink, ids off, users new to it", EVENTS, () -> sink(false, batches));
        row("sink, ids off, users known", EVENTS, () -> sink(false, batches));
        empty();
        row("sink, everything on, users new to it", EVENTS, () -> sink(true, batches));
        List<EventBatch> others = batches(new Random(), USERS, EVENTS);
        row("sink, everything on, users known", EVENTS, () -> sink(true, others));
        row("sink, everything on, all repeats", EVENTS, () -> sink(true, others));
        disk("event_identity", 2 * EVENTS, "event");
        diskOfRows();
        reads(Duration.ofSeconds(10));
    }

    /** Each table alone, statement by statement of the product, in transactions of their own. */
    private void parts() {
        List<EventBatch> batches = batches(new Random(), USERS, EVENTS);
        List<Activity> folded =
                batches.stream().map(batch -> Activity.of(UTC, batch.events())).toList();
        openMonth("202611");
        openMonth("20261121");
        var made = pool.query(ActiveUsersParts.TABLE_WITHOUT_DAYS)
                .execute()
                .await()
                .atMost(PATIENCE);
        System.out.printf(
                "%-46s %9s %16s %17s %12s%n",
                "part", "events/s", "PostgreSQL \u00b5s", "this process \u00b5s", "log bytes");
        for (String users : List.of("new", "known")) {
            row("event ids alone, users " + users, EVENTS, () -> each(batches, ActiveUsersParts::identities));
            row("rows of mau alone, users " + users, EVENTS, () -> each(folded, ActiveUsersParts::usersOfSources));
            row("users over all SDKs alone, " + users, EVENTS, () -> each(folded, ActiveUsersParts::users));
            row(
                    "the same without days, users " + users,
                    EVENTS,
                    () -> each(folded, ActiveUsersParts::usersWithoutDays));
            row("sums alone", EVENTS, () -> each(folded, ActiveUsersParts::sums));
        }
    }

    private <T> Uni<Void> each(List<T> batches, BiFunction<Pool, T, Uni<?>> write) {
        return Multi.createFrom()
                .iterable(batches)
                .onItem()
                .transformToUni(batch -> write.apply(pool, batch))
                .merge(IN_FLIGHT)
                .collect()
                .last()
                .replaceWithVoid();
    }

    private void read(int millions) {
        int users = millions * 1_000_000 / EVENTS_A_USER;
        Random random = new Random(7);
        openMonth("202611");
        for (int i = 0; i < millions * 1_000_000 / EVENTS; i++) {
            List<EventBatch> batches = batches(random, users, EVENTS);
            row("loading 400,000 events, part " + (i + 1), EVENTS, () -> sink(false, batches));
        }
        for (int back = 1; back <= 11; back++) {
            Instant then = NOW.minus(Duration.ofDays(30L * back));
            List<EventBatch> batches = batches(random, users, 3 * BATCH, then);
            sink(false, batches).await().atMost(PATIENCE);
        }
        diskOfRows();
        reads(Duration.ofMinutes(1));
    }

    private void diskOfRows() {
        disk("mau", meter.number("select count(*) from mau"), "row");
        disk("mau_user", meter.number("select count(*) from mau_user"), "row");
    }

    private void reads(Duration forCounting) {
        PostgresActiveUsersReader reader = new PostgresActiveUsersReader(pool, PATIENCE);
        YearMonth month = YearMonth.of(2026, 11);
        List<EnvironmentId> environments = List.of(EnvironmentId.DEFAULT);
        System.out.printf("%d rows of mau%n", meter.number("select count(*) from mau where yearmonth = '202611'"));
        latencies("a month from the sums", () -> reader.months(environments, month, month), READS, PATIENCE);
        latencies(
                "twelve months from the sums",
                () -> reader.months(environments, month.minusMonths(11), month),
                READS,
                PATIENCE);
        latencies(
                "a month by COUNT(*) over its rows",
                () -> pool.query("select count(*), sum(event_count) from mau where environment_namespace = 'default'"
                                + " and yearmonth = '202611'")
                        .execute(),
                100,
                forCounting);
    }

    private void openMonth(String month) {
        var opened = pool.query("select open_period('" + month + "')")
                .execute()
                .await()
                .atMost(PATIENCE);
    }

    private void disk(String table, long things, String thing) {
        System.out.printf(
                "%s: %.0f bytes on disk a%s %s%n",
                table, meter.diskBytes(table) / things, thing.startsWith("e") ? "n" : "", thing);
    }

    private void empty() {
        var unused = pool.query("truncate mau, mau_user, event_identity, active_users_summary")
                .execute()
                .await()
                .atMost(PATIENCE);
    }

    private void row(String way, int events, Supplier<Uni<Void>> work) {
        double log = meter.walBytes();
        double postgres = meter.cpuSeconds();
        double own = ownCpuSeconds();
        long start = System.nanoTime();
        work.get().await().atMost(PATIENCE);
        double seconds = (System.nanoTime() - start) / 1e9;
        System.out.printf(
                "%-46s %9.0f %16.1f %17.1f %12.0f%n",
                way,
                events / seconds,
                (meter.cpuSeconds() - postgres) / events * 1e6,
                (ownCpuSeconds() - own) / events * 1e6,
                (meter.walBytes() - log) / events);
    }

    private static double ownCpuSeconds() {
        return ProcessHandle.current()
                        .info()
                        .totalCpuDuration()
                        .orElse(Duration.ZERO)
                        .toNanos()
                / 1e9;
    }

    private static void latencies(String way, Supplier<? extends Uni<?>> read, int timesMax, Duration most) {
        List<Double> millis = new ArrayList<>();
        long end = System.nanoTime() + most.toNanos();
        while (millis.size() < timesMax && System.nanoTime() < end) {
            long start = System.nanoTime();
            var unused = read.get().await().atMost(PATIENCE);
            millis.add((System.nanoTime() - start) / 1e6);
        }
        Collections.sort(millis);
        System.out.printf(
                "%-46s p50 %.2f ms, p99 %.2f ms, of %d%n",
                way, millis.get(millis.size() / 2), millis.get(millis.size() * 99 / 100), millis.size());
    }

    private Uni<Void> rowsAlone(List<EventBatch> batches) {
        return Multi.createFrom()
                .iterable(batches)
                .onItem()
                .transformToUni(batch -> {
                    TreeMap<String, TreeMap<String, long[]>> rows = new TreeMap<>();
                    for (FlagEvent event : batch.events()) {
                        rows.computeIfAbsent(event.source().name(), source -> new TreeMap<>())
                                .computeIfAbsent(event.user().value(), user -> new long[1])[0]++;
                    }
                    return pool.preparedQuery(ROWS_ALONE).execute(rowsAlone(rows));
                })
                .merge(IN_FLIGHT)
                .collect()
                .last()
                .replaceWithVoid();
    }

    private static Tuple rowsAlone(TreeMap<String, TreeMap<String, long[]>> rows) {
        List<String> sources = new ArrayList<>();
        List<String> users = new ArrayList<>();
        List<Long> events = new ArrayList<>();
        rows.forEach((source, byUser) -> byUser.forEach((user, count) -> {
            sources.add(source);
            users.add(user);
            events.add(count[0]);
        }));
        return Tuple.tuple()
                .addArrayOfString(sources.toArray(String[]::new))
                .addArrayOfString(users.toArray(String[]::new))
                .addArrayOfLong(events.toArray(Long[]::new))
                .addArrayOfInteger(Collections.nCopies(users.size(), 1 << 20).toArray(Integer[]::new))
                .addLong(NOW.getEpochSecond());
    }

    private Uni<Void> sink(boolean recognising, List<EventBatch> batches) {
        PostgresActiveUsersSink sink = new PostgresActiveUsersSink(
                pool,
                UTC,
                new ActiveUsersRules(recognising, 16, PATIENCE),
                InstantSource.fixed(NOW),
                new SimpleMeterRegistry());
        return Multi.createFrom()
                .iterable(batches)
                .onItem()
                .transformToUni(sink::write)
                .merge(IN_FLIGHT)
                .collect()
                .last()
                .replaceWithVoid();
    }

    private Uni<Void> eachCommitted() {
        Random random = new Random(4);
        return Multi.createFrom()
                .range(0, COMMITTED_EVENTS)
                .onItem()
                .transformToUni(i -> pool.preparedQuery(ONE_ROW).execute(oneRow(random)))
                .merge(IN_FLIGHT)
                .collect()
                .last()
                .replaceWithVoid();
    }

    private static Tuple oneRow(Random random) {
        return Tuple.of(
                "user-" + random.nextInt(USERS),
                "202611",
                SOURCES[random.nextInt(3)].name(),
                NOW.getEpochSecond(),
                "default");
    }

    private Uni<Void> straightforward() {
        Random random = new Random(3);
        List<List<Tuple>> chunks = new ArrayList<>();
        for (int i = 0; i < STRAIGHTFORWARD_EVENTS; i += 1_000) {
            List<Tuple> rows = new ArrayList<>();
            for (int n = 0; n < 1_000; n++) {
                rows.add(oneRow(random));
            }
            chunks.add(rows);
        }
        return Multi.createFrom()
                .iterable(chunks)
                .onItem()
                .transformToUniAndConcatenate(rows -> pool.withTransaction(
                        connection -> connection.preparedQuery(ONE_ROW).executeBatch(rows)))
                .collect()
                .last()
                .replaceWithVoid();
    }

    private static List<EventBatch> batches(Random random, int users, int events) {
        return batches(random, users, events, NOW);
    }

    private static List<EventBatch> batches(Random random, int users, int count, Instant until) {
        RandomEvents made = new RandomEvents(random.nextLong());
        List<EventBatch> batches = new ArrayList<>();
        for (int i = 0; i < count; i += BATCH) {
            List<FlagEvent> events = new ArrayList<>();
            for (int n = 0; n < BATCH; n++) {
                events.add(new EvaluationEvent(
                        made.id(),
                        EnvironmentId.DEFAULT,
                        new FlagId("flag-" + random.nextInt(1_000)),
                        1,
                        new VariationId("v" + random.nextInt(3)),
                        new UserId("user-" + random.nextInt(users)),
                        Reason.RULE,
                        until.minusSeconds((count - i) / 12_000),
                        SOURCES[random.nextInt(3)]));
            }
            batches.add(EventBatch.of(UTC, events));
        }
        return batches;
    }
}
