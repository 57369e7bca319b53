package io.flagtally.benchmark;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.EvaluationEvent;
import io.flagtally.event.EventId;
import io.flagtally.event.FlagId;
import io.flagtally.event.Reason;
import io.flagtally.event.SourceId;
import io.flagtally.event.UserId;
import io.flagtally.event.VariationId;
import io.flagtally.rollup.EventBatch;
import io.flagtally.testing.RedisServerForTests;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.mutiny.core.Vertx;
import io.vertx.mutiny.redis.client.Redis;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * What it costs to know the ids of a counter's hour again: Redis memory with deduplication less the memory without, by the
 * number of events that the counter has in the hour, at two settings of {@code set-max-intset-entries}. From that the
 * memory of a window, for 1,000 flags of 3 variations by Zipf's law.
 */
final class MemoryBenchmark {

    private static final int[] SIZES = {1, 10, 100, 400, 1_000, 5_000, 15_000, 60_000, 300_000, 1_900_000};
    private static final int[] INTSET_ENTRIES = {512, 16_384};
    private static final int EVENTS_MIN = 20_000;
    private static final int FLUSH = 10_000;
    private static final int FLAGS = 1_000;
    private static final int VARIATIONS = 3;
    private static final Duration PATIENCE = Duration.ofSeconds(120);

    private final Vertx vertx = Vertx.vertx();
    private final Random random = new Random(1);

    private MemoryBenchmark() {}

    static void main() {
        new MemoryBenchmark().run();
    }

    private void run() {
        Map<Integer, TreeMap<Integer, Double>> bytesById = new TreeMap<>();
        System.out.printf("%-24s", "events of the hour");
        for (int entries : INTSET_ENTRIES) {
            bytesById.put(entries, new TreeMap<>());
            System.out.printf(" %18s", "bytes/id at " + entries);
        }
        System.out.println();
        for (int size : SIZES) {
            System.out.printf("%-24d", size);
            for (int entries : INTSET_ENTRIES) {
                double bytes = bytesAnId(size, entries);
                bytesById.get(entries).put(size, bytes);
                System.out.printf(" %18.1f", bytes);
            }
            System.out.println();
        }
        for (int entries : INTSET_ENTRIES) {
            System.out.printf("%nmemory of a window at set-max-intset-entries %d%n", entries);
            for (double day : new double[] {1e6, 1e8, 1e9}) {
                double bytes = averageBytes(day / 24, bytesById.get(entries));
                System.out.printf("%,15.0f events/day, %.1f bytes/id:", day, bytes);
                for (int hours : new int[] {1, 24, 7 * 24}) {
                    // A set lives for the window after its last id, so an id is kept for half an hour more on average.
                    System.out.printf("  %d h %,.1f MB", hours, day / 24 * (hours + 0.5) * bytes / 1e6);
                }
                System.out.println();
            }
        }
        vertx.close().await().atMost(PATIENCE);
    }

    private double bytesAnId(int size, int intsetEntries) {
        int counters = Math.max(1, EVENTS_MIN / size);
        double with = memory(size, counters, intsetEntries, true);
        double without = memory(size, counters, intsetEntries, false);
        return (with - without) / ((double) size * counters);
    }

    private double memory(int size, int counters, int intsetEntries, boolean deduplicate) {
        try (RedisServerForTests server = RedisServerForTests.start();
                BenchedSink benched = new BenchedSink(vertx, server, deduplicate, new SimpleMeterRegistry())) {
            Redis redis = Redis.createClient(vertx, server.url());
            RedisMeter meter = new RedisMeter(redis);
            meter.set("set-max-intset-entries", intsetEntries);
            // Persistence buffers are not what is measured.
            meter.set("appendonly", "no");
            Instant hour = Instant.now().truncatedTo(ChronoUnit.HOURS).minus(1, ChronoUnit.HOURS);
            List<EvaluationEvent> gathered = new ArrayList<>();
            for (int i = 0; i < size; i++) {
                Instant time = hour.plusSeconds((long) (3600.0 * i / size));
                for (int counter = 0; counter < counters; counter++) {
                    gathered.add(event("flag-" + counter, time));
                    if (gathered.size() == FLUSH) {
                        write(benched, gathered);
                    }
                }
            }
            write(benched, gathered);
            double bytes = meter.memoryBytes();
            redis.close();
            return bytes;
        }
    }

    private static void write(BenchedSink benched, List<EvaluationEvent> gathered) {
        var unused = benched.sink()
                .write(EventBatch.of(BenchedSink.CALENDAR, gathered))
                .await()
                .atMost(PATIENCE);
        gathered.clear();
    }

    private EvaluationEvent event(String flag, Instant time) {
        EventId id =
                new EventId(random.nextLong() & ~0xF000L | 0x4000L, random.nextLong() & ~(0b11L << 62) | 0b10L << 62);
        return new EvaluationEvent(
                id,
                EnvironmentId.DEFAULT,
                new FlagId(flag),
                1,
                new VariationId("v0"),
                new UserId("user"),
                Reason.RULE,
                time,
                SourceId.WEB);
    }

    /** The bytes an id of {@code perHour} events by Zipf's law over the flags, interpolated between what was measured. */
    private static double averageBytes(double perHour, TreeMap<Integer, Double> measured) {
        double harmonic = 0;
        for (int flag = 1; flag <= FLAGS; flag++) {
            harmonic += 1.0 / flag;
        }
        double sum = 0;
        for (int flag = 1; flag <= FLAGS; flag++) {
            double share = 1 / (flag * harmonic);
            sum += share * at(perHour * share / VARIATIONS, measured);
        }
        return sum;
    }

    private static double at(double size, TreeMap<Integer, Double> measured) {
        Map.Entry<Integer, Double> low = measured.floorEntry((int) size);
        Map.Entry<Integer, Double> high = measured.ceilingEntry((int) Math.ceil(size));
        if (low == null || high == null || low.getKey().equals(high.getKey())) {
            return (low == null ? measured.firstEntry() : low).getValue();
        }
        double part = Math.log(size / low.getKey()) / Math.log((double) high.getKey() / low.getKey());
        return low.getValue() + part * (high.getValue() - low.getValue());
    }
}
