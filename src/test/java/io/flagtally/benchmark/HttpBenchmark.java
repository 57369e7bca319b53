package io.flagtally.benchmark;

import io.flagtally.packaged.ServiceProcess;
import io.vertx.core.Vertx;
import io.vertx.mutiny.redis.client.Redis;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;

/**
 * The packaged service with its embedded stores under an open-loop load over HTTP, while a prober watches how soon an
 * event is seen and a reader reads the 30-day series of a flag with dense registers. Arguments: events a second, events a
 * request, seconds, {@code -Xmx} of the service.
 */
final class HttpBenchmark {

    private static final Duration WARM_UP = Duration.ofSeconds(20);
    private static final Duration SETTLING = Duration.ofSeconds(5);
    private static final Duration IDLE = Duration.ofSeconds(60);
    private static final int SAMPLE_MINUTES = 3;

    private HttpBenchmark() {}

    static void main(String[] args) throws Exception {
        double rate = args.length > 0 ? Double.parseDouble(args[0]) : 12_000;
        int batch = args.length > 1 ? Integer.parseInt(args[1]) : 50;
        Duration duration = Duration.ofSeconds(args.length > 2 ? Long.parseLong(args[2]) : 60);
        String heap = args.length > 3 ? args[3] : "256m";
        Path directory = Files.createTempDirectory(Path.of("target"), "http-benchmark");
        Vertx vertx = Vertx.vertx();
        try (ServiceProcess service =
                ServiceProcess.in(directory).with("-Xmx" + heap).ready()) {
            ServiceMeter meter = new ServiceMeter(service);
            Redis redis = Redis.createClient(new io.vertx.mutiny.core.Vertx(vertx), meter.redisUrl());
            DenseFlag.plant(redis);
            OpenLoopLoad warmUp = new OpenLoopLoad(vertx, service.port(), batch);
            warmUp.run(rate / 2, WARM_UP);
            warmUp.close();
            new Probes(service).run(WARM_UP);
            measure(vertx, service, meter, new RedisMeter(redis), rate, batch, duration);
            Thread.sleep(SETTLING.toMillis());
            Probes idle = new Probes(service);
            idle.run(IDLE);
            idle.print("idle afterwards");
        }
        vertx.close();
    }

    private static void measure(
            Vertx vertx,
            ServiceProcess service,
            ServiceMeter meter,
            RedisMeter redis,
            double rate,
            int batch,
            Duration duration)
            throws InterruptedException {
        OpenLoopLoad load = new OpenLoopLoad(vertx, service.port(), batch);
        Probes probes = new Probes(service);
        Map<String, Double> cpuBefore = meter.cpuSeconds();
        double commands = service.metric("flagtally_redis_commands_sum");
        double memory = redis.memoryBytes();
        Thread probing = new Thread(() -> probes.run(duration), "probes");
        probing.start();
        Thread growing = new Thread(() -> printGrowth(service, redis, memory, duration), "growth");
        growing.start();
        long start = System.nanoTime();
        load.run(rate, duration);
        double seconds = (System.nanoTime() - start) / 1e9;
        probing.join();
        growing.join();
        Histogram micros = load.micros();
        double events = micros.getTotalCount() * (double) batch;
        System.out.printf(
                "%n%.0f events/s in requests of %d for %.0f s: %.0f events/s%n",
                rate, batch, seconds, events / seconds);
        System.out.printf("answers: %s%n", load.answers());
        System.out.printf(
                "request ms: p50 %.1f, p99 %.1f, p99.9 %.1f, max %.1f%n",
                micros.getValueAtPercentile(50) / 1e3,
                micros.getValueAtPercentile(99) / 1e3,
                micros.getValueAtPercentile(99.9) / 1e3,
                micros.getMaxValue() / 1e3);
        double all = 0;
        Map<String, Double> cpuAfter = new TreeMap<>(meter.cpuSeconds());
        for (Map.Entry<String, Double> part : cpuAfter.entrySet()) {
            double used = (part.getValue() - cpuBefore.getOrDefault(part.getKey(), 0.0)) / seconds;
            all += used;
            System.out.printf("cpu of %s: %.2f cores%n", part.getKey(), used);
        }
        System.out.printf("cpu of all: %.2f cores%n", all);
        System.out.printf(
                "commands an event: %.4f%n", (service.metric("flagtally_redis_commands_sum") - commands) / events);
        System.out.printf(
                "Redis memory: %.1f MB more, %.1f bytes an event%n",
                (redis.memoryBytes() - memory) / 1e6, (redis.memoryBytes() - memory) / events);
        System.out.printf(
                "heap used now %.0f MB, live after collection %.0f MB%n",
                service.metric("jvm_memory_used_bytes{area=\"heap\"") / 1e6,
                service.metric("jvm_gc_live_data_size_bytes") / 1e6);
        probes.print("under load");
        load.close();
    }

    /** Prints every few minutes of a long run what must stay flat, and what grows. */
    private static void printGrowth(ServiceProcess service, RedisMeter redis, double memoryBefore, Duration duration) {
        long end = System.nanoTime() + duration.toNanos();
        for (int minute = SAMPLE_MINUTES;
                System.nanoTime() + Duration.ofMinutes(SAMPLE_MINUTES).toNanos() <= end;
                minute += SAMPLE_MINUTES) {
            LockSupport.parkNanos(Duration.ofMinutes(SAMPLE_MINUTES).toNanos());
            System.out.printf(
                    "minute %d: live heap after collection %.0f MB, Redis memory %.1f MB more%n",
                    minute,
                    service.metric("jvm_gc_live_data_size_bytes") / 1e6,
                    (redis.memoryBytes() - memoryBefore) / 1e6);
        }
    }
}
