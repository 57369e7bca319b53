package io.flagtally.benchmark;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.EvaluationEvent;
import io.flagtally.event.FlagEvent;
import io.flagtally.event.FlagId;
import io.flagtally.event.Reason;
import io.flagtally.event.SourceId;
import io.flagtally.event.UserId;
import io.flagtally.event.VariationId;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.EventBatch;
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
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;

/**
 * The sink of active users alone, with and without recognising repeats, against the straightforward way of one upsert an
 * event, pipelined; then a month's number from the sums against counting the rows. Everything on disk before it counts.
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
    private static final int READS = 500;
    private static final Duration PATIENCE = Duration.ofMinutes(5);
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

    static void main(String[] args) {
        MauBenchmark benchmark = new MauBenchmark();
        try {
            benchmark.run();
        } finally {
            benchmark.pool.close().await().atMost(PATIENCE);
            benchmark.server.close();
            benchmark.vertx.close().await().atMost(PATIENCE);
        }
    }

    private void run() {
        List<EventBatch> batches = batches();
        var opened =
                pool.query("select open_period('202611')").execute().await().atMost(PATIENCE);
        System.out.printf("%-44s %12s%n", "way", "events/s");
        row("one upsert an event, each committed", COMMITTED_EVENTS, this::eachCommitted);
        empty();
        row("one upsert an event, in transactions of 1,000", STRAIGHTFORWARD_EVENTS, this::straightforward);
        empty();
        row("sink, ids off, users new to it", EVENTS, () -> sink(false, batches));
        row("sink, ids off, users known", EVENTS, () -> sink(false, batches));
        empty();
        row("sink, everything on, users new to it", EVENTS, () -> sink(true, batches));
        List<EventBatch> others = batches();
        row("sink, everything on, users known", EVENTS, () -> sink(true, others));
        row("sink, everything on, all repeats", EVENTS, () -> sink(true, others));
        PostgresActiveUsersReader reader = new PostgresActiveUsersReader(pool);
        YearMonth month = YearMonth.of(2026, 11);
        latencies("month from the sums", () -> reader.months(List.of(EnvironmentId.DEFAULT), month, month), READS);
        latencies(
                "month by COUNT(*) over its rows",
                () -> pool.query("select count(*), sum(event_count) from mau where environment_namespace = 'default'"
                                + " and yearmonth = '202611'")
                        .execute(),
                20);
    }

    private void empty() {
        var unused = pool.query("truncate mau, mau_user, event_identity, active_users_summary")
                .execute()
                .await()
                .atMost(PATIENCE);
    }

    private static void row(String way, int events, Supplier<Uni<Void>> work) {
        long start = System.nanoTime();
        work.get().await().atMost(PATIENCE);
        System.out.printf("%-44s %12.0f%n", way, events / ((System.nanoTime() - start) / 1e9));
    }

    private static void latencies(String way, Supplier<? extends Uni<?>> read, int times) {
        double[] millis = new double[times];
        for (int i = 0; i < times; i++) {
            long start = System.nanoTime();
            var unused = read.get().await().atMost(PATIENCE);
            millis[i] = (System.nanoTime() - start) / 1e6;
        }
        Arrays.sort(millis);
        System.out.printf("%-44s p50 %.2f ms, p99 %.2f ms%n", way, millis[times / 2], millis[times * 99 / 100]);
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

    private static List<EventBatch> batches() {
        Random random = new Random();
        RandomEvents made = new RandomEvents(random.nextLong());
        List<EventBatch> batches = new ArrayList<>();
        for (int i = 0; i < EVENTS; i += BATCH) {
            List<FlagEvent> events = new ArrayList<>();
            for (int n = 0; n < BATCH; n++) {
                events.add(new EvaluationEvent(
                        made.id(),
                        EnvironmentId.DEFAULT,
                        new FlagId("flag-" + random.nextInt(1_000)),
                        1,
                        new VariationId("v" + random.nextInt(3)),
                        new UserId("user-" + random.nextInt(USERS)),
                        Reason.RULE,
                        NOW.minusSeconds((EVENTS - i) / 12_000),
                        SOURCES[random.nextInt(3)]));
            }
            batches.add(EventBatch.of(UTC, events));
        }
        return batches;
    }
}
