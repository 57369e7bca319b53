package io.flagtally.benchmark;

import io.flagtally.packaged.ServiceProcess;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.HdrHistogram.Histogram;

/**
 * The packaged service under an open-loop load, first without readers, then with many live streams, and then beside others
 * who never read: how soon each reader sees an event that is sent, what the readers cost in memory and CPU, and what becomes of the ingest rate.
 * Arguments: readers, flags, events a second, seconds, {@code -Xmx} of the service, readers who never read.
 */
final class LiveBenchmark {

    private static final int BATCH = 50;
    private static final Duration WARM_UP = Duration.ofSeconds(20);

    private LiveBenchmark() {}

    static void main(String[] args) throws Exception {
        int readers = args.length > 0 ? Integer.parseInt(args[0]) : 1_000;
        int flags = args.length > 1 ? Integer.parseInt(args[1]) : 100;
        double rate = args.length > 2 ? Double.parseDouble(args[2]) : 12_000;
        Duration duration = Duration.ofSeconds(args.length > 3 ? Long.parseLong(args[3]) : 60);
        String heap = args.length > 4 ? args[4] : "256m";
        int stalled = args.length > 5 ? Integer.parseInt(args[5]) : 100;
        Path directory = Files.createTempDirectory(Path.of("target"), "live-benchmark");
        Vertx vertx = Vertx.vertx();
        try (ServiceProcess service = ServiceProcess.in(directory)
                .with("-Xmx" + heap)
                .with("-Dflagtally.live.readers-per-key-max=" + (readers + stalled + 1))
                .with("-Dflagtally.live.readers-max=" + (readers + stalled + 1))
                .ready()) {
            OpenLoopLoad warmUp = new OpenLoopLoad(vertx, service.port(), BATCH);
            warmUp.run(rate / 2, WARM_UP);
            warmUp.close();
            run("without readers", vertx, service, rate, duration);
            long before = resident(service);
            try (LiveAudience audience = new LiveAudience(vertx, service, readers, flags)) {
                audience.open();
                Thread.sleep(3_000);
                System.out.printf(
                        "%nmemory of %d idle readers: %.1f MB resident more%n",
                        readers, (resident(service) - before) / 1e6);
                probe(audience, "with " + readers + " readers of " + flags + " flags", vertx, service, rate, duration);
                try (StalledReaders never = new StalledReaders(service, stalled, flags)) {
                    probe(audience, "and with " + stalled + " who never read", vertx, service, rate, duration);
                    System.out.printf(
                            "%d never read; readers now %.0f, bytes on their way to them %.0f%n",
                            never.size(),
                            service.metric("flagtally_live_readers"),
                            service.metric("flagtally_live_bytes"));
                }
            }
        }
        vertx.close();
    }

    private static void probe(
            LiveAudience audience, String how, Vertx vertx, ServiceProcess service, double rate, Duration duration)
            throws InterruptedException, IOException {
        Thread probing = new Thread(() -> audience.probe(duration), "live-probes");
        probing.start();
        run(how, vertx, service, rate, duration);
        probing.join();
        audience.print();
        System.out.printf("resident at the end %.0f MB%n", resident(service) / 1e6);
    }

    private static void run(String how, Vertx vertx, ServiceProcess service, double rate, Duration duration) {
        ServiceMeter meter = new ServiceMeter(service);
        OpenLoopLoad load = new OpenLoopLoad(vertx, service.port(), BATCH);
        Map<String, Double> before = meter.cpuSeconds();
        long start = System.nanoTime();
        load.run(rate, duration);
        double seconds = (System.nanoTime() - start) / 1e9;
        Histogram micros = load.micros();
        System.out.printf(
                "%n%s: %.0f events/s offered, %.0f taken; answers %s; request ms p50 %.1f, p99 %.1f%n",
                how,
                rate,
                micros.getTotalCount() * (double) BATCH / seconds,
                load.answers(),
                micros.getValueAtPercentile(50) / 1e3,
                micros.getValueAtPercentile(99) / 1e3);
        new TreeMap<>(meter.cpuSeconds())
                .forEach((part, used) -> System.out.printf(
                        "cpu of %s: %.2f cores%n", part, (used - before.getOrDefault(part, 0.0)) / seconds));
        System.out.printf("heap used now %.0f MB%n", service.metric("jvm_memory_used_bytes{area=\"heap\"") / 1e6);
        load.close();
    }

    /** Resident bytes of the service's JVM. */
    private static long resident(ServiceProcess service) throws IOException {
        return Files.readAllLines(Path.of("/proc", String.valueOf(service.pid()), "status")).stream()
                        .filter(line -> line.startsWith("VmRSS:"))
                        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                        .findFirst()
                        .orElse(0)
                * 1024;
    }
}
