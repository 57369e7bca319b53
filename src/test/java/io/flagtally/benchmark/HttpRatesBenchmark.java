package io.flagtally.benchmark;

import io.flagtally.packaged.ServiceProcess;
import io.flagtally.testing.KafkaServerForTests;
import io.vertx.core.Vertx;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.HdrHistogram.Histogram;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;

/**
 * The highest rate of {@code /register_events} with 1, 10, 50 and 500 events a request, and the times of a request at half
 * of it, in an open loop.
 */
final class HttpRatesBenchmark {

    private static final List<Integer> BATCHES = List.of(1, 10, 50, 500);
    private static final int PARTITIONS = 4;
    private static final int CLIENTS = 64;
    private static final Duration WARM_UP = Duration.ofSeconds(10);
    private static final Duration SATURATED = Duration.ofSeconds(10);
    private static final Duration AT_HALF = Duration.ofSeconds(20);

    private HttpRatesBenchmark() {}

    /** @param arguments {@code kafka}, to send over a Kafka beside it; options of the service's JVM; sizes of a request */
    static void main(String[] arguments) throws Exception {
        List<String> options = new ArrayList<>(List.of("-Xmx256m"));
        List<Integer> batches = new ArrayList<>();
        Optional<KafkaServerForTests> kafka = Optional.empty();
        for (String argument : arguments) {
            if (argument.equals("kafka")) {
                kafka = Optional.of(startedKafka());
                options.add("-Dquarkus.profile=kafka");
                options.add("-Dkafka.bootstrap.servers=" + kafka.get().directServers());
            } else if (argument.startsWith("-")) {
                options.add(argument);
            } else {
                batches.add(Integer.parseInt(argument));
            }
        }
        measure(options, batches.isEmpty() ? BATCHES : batches);
        kafka.ifPresent(KafkaServerForTests::close);
    }

    private static void measure(List<String> options, List<Integer> batches) throws Exception {
        Vertx vertx = Vertx.vertx();
        ServiceProcess.Start start = ServiceProcess.in(Files.createTempDirectory(Path.of("target"), "http-rates"));
        options.forEach(start::with);
        try (ServiceProcess service = start.ready()) {
            System.out.printf(
                    "%10s %14s %12s %10s %10s %10s   %s%n",
                    "events", "requests/s", "events/s", "p50 ms", "p99 ms", "p99.9 ms", "answers at half");
            for (int batch : batches) {
                measure(vertx, service, batch);
            }
        }
        vertx.close();
    }

    private static KafkaServerForTests startedKafka() throws Exception {
        KafkaServerForTests kafka = KafkaServerForTests.started();
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.directServers()))) {
            Void unused = admin.createTopics(List.of(new NewTopic("flagtally-events", PARTITIONS, (short) 1)))
                    .all()
                    .get();
        }
        return kafka;
    }

    private static void measure(Vertx vertx, ServiceProcess service, int batch) {
        saturate(vertx, service, batch, WARM_UP);
        double rate = saturate(vertx, service, batch, SATURATED);
        OpenLoopLoad half = new OpenLoopLoad(vertx, service.port(), batch);
        half.run(rate / 2 * batch, AT_HALF);
        Histogram micros = half.micros();
        System.out.printf(
                "%10d %14.0f %12.0f %10.1f %10.1f %10.1f   %s%n",
                batch,
                rate,
                rate * batch,
                micros.getValueAtPercentile(50) / 1e3,
                micros.getValueAtPercentile(99) / 1e3,
                micros.getValueAtPercentile(99.9) / 1e3,
                half.answers());
        half.close();
    }

    /** Requests a second that are answered with 200 while {@link #CLIENTS} clients send without a pause. */
    private static double saturate(Vertx vertx, ServiceProcess service, int batch, Duration duration) {
        OpenLoopLoad load = new OpenLoopLoad(vertx, service.port(), batch);
        double rate = load.saturate(CLIENTS, duration);
        load.close();
        return rate;
    }
}
