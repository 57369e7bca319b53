package io.flagtally.benchmark;

import com.sun.management.OperatingSystemMXBean;
import io.flagtally.codec.BucketeerCodec;
import io.flagtally.codec.EventHeaders;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.SourceId;
import io.flagtally.pipeline.Arrival;
import io.flagtally.pipeline.Delivery;
import io.flagtally.pipeline.EventPipeline;
import io.flagtally.pipeline.PatientRetry;
import io.flagtally.pipeline.PipelineConfig;
import io.flagtally.pipeline.SinkFanOut;
import io.flagtally.pipeline.Timers;
import io.flagtally.testing.RedisServerForTests;
import io.flagtally.testing.TestConfigs;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.core.Vertx;
import io.vertx.mutiny.redis.client.Redis;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;

/**
 * From bytes in memory to Redis: the pipeline with and without deduplication, against the straightforward way, which is
 * INCR and PFADD on the same day and hour keys for each event, pipelined. One curve each over the size of a flush.
 */
final class PipelineBenchmark {

    private static final int[] FLUSH_SIZES = {100, 300, 1_000, 3_000, 10_000, 30_000, 60_000};
    private static final int MESSAGE_EVENTS = 50;
    private static final Arrival FIRST = new Arrival(false, Optional.empty(), Map.of());
    private static final int EVENTS = 120_000;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Vertx vertx = Vertx.vertx();
    private final Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);
    private final List<byte[]> payloads = payloads();

    private record Result(double eventsPerSecond, double redisMicros, double serviceMicros, double commands) {}

    /** One way to count; returns how many commands it sent. */
    private interface Way {
        double run(RedisServerForTests server, int flushSize) throws InterruptedException;
    }

    /** @param args the flush sizes to measure; all of the curve if there are none */
    static void main(String[] args) throws InterruptedException {
        int[] sizes = Arrays.stream(args).mapToInt(Integer::parseInt).toArray();
        new PipelineBenchmark().run(sizes.length == 0 ? FLUSH_SIZES : sizes);
    }

    private void run(int[] flushSizes) throws InterruptedException {
        Map<String, Way> ways = Map.of(
                "exactly once", (server, size) -> pipeline(server, size, true),
                "deduplication off", (server, size) -> pipeline(server, size, false),
                "straightforward", (server, size) -> new StraightforwardWay(vertx, server.url(), size).run(payloads));
        List<String> order = List.of("exactly once", "deduplication off", "straightforward");
        for (String name : order) {
            Result unused = measure(ways.get(name), 10_000);
        }
        System.out.printf(
                "%-18s %8s %12s %14s %16s %16s%n",
                "way", "flush", "events/s", "Redis µs/event", "service µs/event", "commands/event");
        for (int size : flushSizes) {
            for (String name : order) {
                Result result = measure(ways.get(name), size);
                System.out.printf(
                        "%-18s %8d %12.0f %14.2f %16.2f %16.4f%n",
                        name, size, result.eventsPerSecond, result.redisMicros, result.serviceMicros, result.commands);
            }
        }
        vertx.close().await().atMost(PATIENCE);
    }

    private Result measure(Way way, int flushSize) throws InterruptedException {
        try (RedisServerForTests server = RedisServerForTests.start()) {
            Redis redis = Redis.createClient(vertx, server.url());
            RedisMeter meter = new RedisMeter(redis);
            OperatingSystemMXBean process = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
            double redisCpu = meter.cpuSeconds();
            long serviceCpu = process.getProcessCpuTime();
            long start = System.nanoTime();
            double commands = way.run(server, flushSize);
            double seconds = (System.nanoTime() - start) / 1e9;
            Result result = new Result(
                    EVENTS / seconds,
                    (meter.cpuSeconds() - redisCpu) * 1e6 / EVENTS,
                    (process.getProcessCpuTime() - serviceCpu) / 1e3 / EVENTS,
                    commands / EVENTS);
            redis.close();
            return result;
        }
    }

    private double pipeline(RedisServerForTests server, int flushSize, boolean deduplicate)
            throws InterruptedException {
        SimpleMeterRegistry meters = new SimpleMeterRegistry();
        try (BenchedSink benched = new BenchedSink(vertx, server, deduplicate, meters)) {
            Timers timers = (delay, task) -> {
                long unused = vertx.setTimer(Math.max(1, delay.toMillis()), id -> task.run());
            };
            PatientRetry retry = new PatientRetry(timers, Duration.ofMillis(100), Duration.ofSeconds(1), () -> 0.5);
            PipelineConfig config = TestConfigs.of(
                    PipelineConfig.class,
                    Map.of(
                            "flagtally.pipeline.batch.size-max",
                            Integer.toString(flushSize),
                            "flagtally.pipeline.batch.linger",
                            "10s"));
            EventPipeline pipeline = new EventPipeline(
                    config,
                    BenchedSink.WINDOW,
                    BenchedSink.CALENDAR,
                    new SinkFanOut(List.of(benched.sink()), retry, meters),
                    letters -> Uni.createFrom().failure(new IllegalStateException(letters.toString())),
                    retry,
                    timers,
                    InstantSource.system(),
                    meters);
            feed(pipeline);
            return meters.get("flagtally.redis.commands").summary().totalAmount();
        }
    }

    private void feed(EventPipeline pipeline) throws InterruptedException {
        BucketeerCodec codec = new BucketeerCodec();
        Semaphore room = new Semaphore(0);
        pipeline.onRoom(room::release);
        for (byte[] payload : payloads) {
            while (!pipeline.hasRoom()) {
                room.acquire();
            }
            EventHeaders headers =
                    new EventHeaders(EnvironmentId.DEFAULT, SourceId.WEB, codec.contentType(), MESSAGE_EVENTS, now);
            pipeline.accept(new Delivery(payload, headers, FIRST, codec, new Unanswered()));
        }
        pipeline.drain().toCompletableFuture().join();
    }

    private static final class Unanswered implements Delivery.Acknowledgement {
        @Override
        public void ack() {}

        @Override
        public void nack(Throwable reason) {
            throw new IllegalStateException(reason);
        }
    }

    private List<byte[]> payloads() {
        SampleEvents events = new SampleEvents(1, 1000, 1_000_000);
        List<byte[]> payloads = new ArrayList<>();
        for (int i = 0; i < EVENTS; i += MESSAGE_EVENTS) {
            // Twelve thousand events a second, as they would come.
            payloads.add(events.payload(MESSAGE_EVENTS, now.minusSeconds((EVENTS - i) / 12_000)));
        }
        return payloads;
    }
}
