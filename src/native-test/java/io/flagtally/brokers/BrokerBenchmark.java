package io.flagtally.brokers;

import io.flagtally.brokers.BrokerForTests.Raw;
import io.flagtally.testing.PostgresServerForTests;
import io.flagtally.testing.RedisServerForTests;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * From a broker's backlog to the counts: the packaged service with sinks=counts, beside a bare consumer that takes the same
 * messages of the same broker in the same run and does nothing with them. The broker, Redis and the service share the
 * machine. The time runs from the first events to the last, so a process may start as slowly as it likes; what it costs to
 * become warm is in the line of the whole, and not in that of the second half.
 */
public final class BrokerBenchmark {

    private static final int EVENTS_DEFAULT = 400_000;
    private static final int PUBLISHERS = 4;
    private static final long POLL_MILLIS = 100;
    private static final long PATIENCE_NANOS = 300_000_000_000L;

    private record Measured(Supplier<BrokerForTests> broker, int eventsAMessage) {}

    /** Messages of 200 KB; of less where the broker takes no larger ones, or takes them in another way. */
    private static final Map<String, Measured> BROKERS = new TreeMap<>(Map.of(
            "kafka", new Measured(KafkaForTests::new, 100),
            "rabbitmq", new Measured(RabbitForTests::new, 100),
            "redis", new Measured(RedisStreamsForTests::new, 100),
            "amqp", new Measured(ArtemisForTests::new, 40),
            "aws", new Measured(() -> new AwsForTests(true), 80)));

    /** Processes that were started together, and the CPU time that they have used. */
    private static final class Processes {

        private final Set<Long> pids;

        private Processes(Set<Long> pids) {
            this.pids = pids;
        }

        /** The servers of tests that run now and are in none of {@code others}. */
        static Processes otherThan(Processes... others) {
            Set<Long> pids = ProcessHandle.allProcesses()
                    .map(ProcessHandle::pid)
                    .filter(Processes::worksInTarget)
                    .collect(Collectors.toCollection(HashSet::new));
            for (Processes other : others) {
                pids.removeAll(other.pids);
            }
            return new Processes(pids);
        }

        private static boolean worksInTarget(long pid) {
            try {
                return Files.readSymbolicLink(Path.of("/proc", String.valueOf(pid), "cwd"))
                        .startsWith(Path.of("target").toRealPath());
            } catch (IOException ended) {
                return false;
            }
        }

        double cpuSeconds() {
            return pids.stream()
                            .flatMap(pid -> ProcessHandle.of(pid).stream())
                            .mapToLong(process -> process.info()
                                    .totalCpuDuration()
                                    .orElse(Duration.ZERO)
                                    .toNanos())
                            .sum()
                    / 1e9;
        }
    }

    /** A moment of a run: how many events were counted by then, and what that had cost. */
    private record Moment(long nanos, double counted, double service, double redis, double broker) {

        void print(String what, Moment end) {
            double events = end.counted - counted;
            System.out.printf(
                    "  %-26s%,10.0f events/s; CPU an event: service %.1f, Redis %.1f, broker %.1f µs%n",
                    what,
                    events * 1e9 / (end.nanos - nanos),
                    (end.service - service) * 1e6 / events,
                    (end.redis - redis) * 1e6 / events,
                    (end.broker - broker) * 1e6 / events);
        }
    }

    private final Measured measured;
    private final int events;
    private final String[] jvmOptions;

    private BrokerBenchmark(Measured measured, int events, String[] jvmOptions) {
        this.measured = measured;
        this.events = events;
        this.jvmOptions = jvmOptions;
    }

    /**
     * @param arguments the brokers to measure, by profile; before them may stand how many events, and options of the
     *     service's JVM
     * @param payload makes the lines of so many new events
     */
    public static void run(String[] arguments, IntFunction<byte[]> payload) throws Exception {
        int events = EVENTS_DEFAULT;
        List<String> jvmOptions = new ArrayList<>();
        for (String argument : arguments) {
            if (argument.startsWith("-")) {
                jvmOptions.add(argument);
            } else if (BROKERS.containsKey(argument)) {
                new BrokerBenchmark(BROKERS.get(argument), events, jvmOptions.toArray(String[]::new)).run(payload);
            } else {
                events = Integer.parseInt(argument);
            }
        }
    }

    private void run(IntFunction<byte[]> payload) throws Exception {
        try (BrokerForTests broker = measured.broker().get()) {
            broker.start(broker.port());
            Processes ofBroker = Processes.otherThan();
            try (PostgresServerForTests postgres = PostgresServerForTests.start()) {
                Processes ofPostgres = Processes.otherThan(ofBroker);
                try (RedisServerForTests counts = RedisServerForTests.start();
                        BrokeredService service = new BrokeredService(
                                        broker,
                                        broker.port(),
                                        postgres,
                                        counts,
                                        "flagtally.pipeline.sinks=counts",
                                        "flagtally.redis.flush-timeout=3S",
                                        "flagtally.pipeline.batch.size-max=10000")
                                .on(jvmOptions)) {
                    Processes ofRedis = Processes.otherThan(ofBroker, ofPostgres);
                    // It makes what the profile makes by itself, so that the backlog has a place.
                    String unused = service.ready().stop();
                    int messages = events / measured.eventsAMessage();
                    publish(broker, messages, payload);
                    System.out.printf("%s: %,d events, %d a message%n", broker.name(), counted(), perMessage());
                    double cpu = ofBroker.cpuSeconds();
                    double seconds = BareConsumers.seconds(broker, messages);
                    System.out.printf(
                            "  %-26s%,10.0f events/s; CPU an event: broker %.1f µs%n",
                            "bare consumer", counted() / seconds, (ofBroker.cpuSeconds() - cpu) * 1e6 / counted());
                    measure(service, ofRedis, ofBroker);
                }
            }
        }
    }

    private int perMessage() {
        return measured.eventsAMessage();
    }

    private int counted() {
        return events / perMessage() * perMessage();
    }

    private void publish(BrokerForTests broker, int messages, IntFunction<byte[]> payload) throws Exception {
        ExecutorService publishers = Executors.newFixedThreadPool(PUBLISHERS);
        try {
            List<Future<?>> published = new ArrayList<>();
            for (int i = 0; i < messages; i++) {
                published.add(publishers.submit(() -> broker.publish(message(payload), 1)));
            }
            for (Future<?> each : published) {
                Object unused = each.get();
            }
        } finally {
            publishers.shutdownNow();
        }
    }

    private synchronized Raw message(IntFunction<byte[]> payload) {
        return SentEvents.message(payload.apply(perMessage()), perMessage());
    }

    private void measure(BrokeredService service, Processes ofRedis, Processes ofBroker) throws InterruptedException {
        service.launch();
        long launched = System.nanoTime();
        Moment first = null;
        Moment half = null;
        Moment now = moment(service, ofRedis, ofBroker);
        while (now.counted < counted()) {
            Thread.sleep(POLL_MILLIS);
            now = moment(service, ofRedis, ofBroker);
            if (now.nanos - launched > PATIENCE_NANOS) {
                throw new IllegalStateException("counted only " + now.counted + ":\n"
                        + service.process().log());
            }
            first = first == null && now.counted > 0 ? now : first;
            half = half == null && now.counted >= counted() / 2.0 ? now : half;
        }
        if (first == null || half == null) {
            throw new IllegalStateException("too few events to measure");
        }
        first.print("the service", now);
        half.print("the service, second half", now);
        // In order, so that a flight recorder among the options writes its file.
        String unused = service.stop();
    }

    private static Moment moment(BrokeredService service, Processes ofRedis, Processes ofBroker) {
        // A flush that took too long is written again, and recognised.
        double counted = service.metric("flagtally_events_counted_total{sink=\"counts\"")
                + service.metric("flagtally_events_duplicates_total{sink=\"counts\"");
        return new Moment(
                System.nanoTime(), counted, service.cpuSeconds(), ofRedis.cpuSeconds(), ofBroker.cpuSeconds());
    }
}
