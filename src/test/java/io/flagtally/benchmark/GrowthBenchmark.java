package io.flagtally.benchmark;

import io.flagtally.codec.BucketeerCodec;
import io.flagtally.codec.EventCodec;
import io.flagtally.codec.MalformedEventException;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagEvent;
import io.flagtally.event.SourceId;
import io.flagtally.rollup.CountKey;
import io.flagtally.rollup.EventBatch;
import io.flagtally.testing.RedisServerForTests;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.mutiny.core.Vertx;
import io.vertx.mutiny.redis.client.Redis;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * How rate and memory of the sink grow with the number of flags, from 10 to 10,000, and of users, from 10,000 to 10
 * million; the memory beside what {@code docs/explanation/performance.md} forecasts.
 */
final class GrowthBenchmark {

    private static final int FLUSH = 10_000;
    private static final int EVENTS = 300_000;

    /** So many that most of 10 million users have one. */
    private static final int MANY_EVENTS = 20_000_000;

    private static final List<Line> LINES = List.of(
            new Line(10, 1_000_000, EVENTS),
            new Line(100, 1_000_000, EVENTS),
            new Line(1_000, 1_000_000, EVENTS),
            new Line(10_000, 1_000_000, EVENTS),
            new Line(1_000, 10_000, EVENTS),
            new Line(1_000, 100_000, EVENTS),
            new Line(1_000, 10_000_000, EVENTS),
            new Line(1_000, 10_000, MANY_EVENTS),
            new Line(1_000, 10_000_000, MANY_EVENTS));

    private record Line(int flags, int users, int events) {}

    /** The bytes of an id in a set of integers, and of a set around it. */
    private static final double ID_BYTES = 9;

    private static final double ID_SET_BYTES = 150;

    /** Two keys with a number, for day and hour. */
    private static final double COUNTS_BYTES = 2 * 150;

    /** A sparse register set grows to {@code hll-sparse-max-bytes}, then it is dense. */
    private static final double USERS_BYTES = 150;

    private static final double SPARSE_BYTES_A_USER = 2.7;
    private static final double SPARSE_BYTES_MAX = 3_000;
    private static final double DENSE_BYTES = 14_400;

    private static final Duration PATIENCE = Duration.ofSeconds(120);

    private final Vertx vertx = Vertx.vertx();

    private GrowthBenchmark() {}

    /** @param args the lines to measure, from 1; all of them if there are none */
    static void main(String[] args) {
        List<Line> chosen = Arrays.stream(args)
                .map(number -> LINES.get(Integer.parseInt(number) - 1))
                .toList();
        new GrowthBenchmark().run(chosen.isEmpty() ? LINES : chosen);
    }

    private void run(List<Line> lines) {
        measure(new Line(1_000, 1_000_000, EVENTS), false);
        System.out.printf(
                "%8s %12s %12s %12s %14s %16s %16s%n",
                "flags", "users", "events", "events/s", "Redis µs/event", "Redis MB", "forecast MB");
        lines.forEach(line -> measure(line, true));
        vertx.close().await().atMost(PATIENCE);
    }

    private void measure(Line line, boolean print) {
        SampleEvents events = new SampleEvents(1, line.flags, line.users);
        Map<CountKey, Set<String>> usersOfCounters = new HashMap<>();
        try (RedisServerForTests server = RedisServerForTests.start();
                BenchedSink benched = new BenchedSink(vertx, server, true, new SimpleMeterRegistry())) {
            Redis redis = Redis.createClient(vertx, server.url());
            RedisMeter meter = new RedisMeter(redis);
            double memory = meter.memoryBytes();
            double cpu = meter.cpuSeconds();
            Instant begin = Instant.now().truncatedTo(ChronoUnit.HOURS).minus(1, ChronoUnit.HOURS);
            long nanos = 0;
            for (int from = 0; from < line.events; from += FLUSH) {
                EventBatch batch = batch(events, begin.plusSeconds(from / 12_000));
                batch.rollup()
                        .counts()
                        .forEach((key, delta) ->
                                note(delta.users(), usersOfCounters.computeIfAbsent(key, k -> new HashSet<>())));
                long start = System.nanoTime();
                var unused = benched.sink().write(batch).await().atMost(PATIENCE);
                nanos += System.nanoTime() - start;
            }
            double used = meter.memoryBytes() - memory;
            if (print) {
                System.out.printf(
                        "%8d %12d %12d %12.0f %14.1f %16.1f %16.1f%n",
                        line.flags,
                        line.users,
                        line.events,
                        line.events / (nanos / 1e9),
                        (meter.cpuSeconds() - cpu) * 1e6 / line.events,
                        used / 1e6,
                        forecast(line.events, usersOfCounters) / 1e6);
            }
            redis.close();
        }
    }

    /** As many as a forecast tells apart. */
    private static void note(Iterable<String> users, Set<String> noted) {
        for (String user : users) {
            if (noted.size() * SPARSE_BYTES_A_USER > SPARSE_BYTES_MAX) {
                return;
            }
            boolean unused = noted.add(user);
        }
    }

    /** What one hour of a day takes: ids, counts, and the users of the day and of the hour. */
    private static double forecast(int events, Map<CountKey, Set<String>> usersOfCounters) {
        double bytes = events * ID_BYTES;
        for (Set<String> users : usersOfCounters.values()) {
            double sparse = users.size() * SPARSE_BYTES_A_USER;
            double registers = sparse > SPARSE_BYTES_MAX ? DENSE_BYTES : sparse;
            bytes += ID_SET_BYTES + COUNTS_BYTES + 2 * (USERS_BYTES + registers);
        }
        return bytes;
    }

    private static EventBatch batch(SampleEvents events, Instant time) {
        EventBatch batch = new EventBatch(BenchedSink.CALENDAR);
        new BucketeerCodec()
                .decode(events.payload(FLUSH, time), EnvironmentId.DEFAULT, SourceId.WEB, new EventCodec.Visitor() {
                    @Override
                    public void event(FlagEvent event, int offset, int length) {
                        batch.add(event);
                    }

                    @Override
                    public void malformed(MalformedEventException fault, int offset, int length) {
                        throw new IllegalStateException(fault);
                    }
                });
        return batch;
    }
}
