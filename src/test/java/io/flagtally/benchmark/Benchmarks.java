package io.flagtally.benchmark;

import io.flagtally.brokers.BrokerBenchmark;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/** Runs the benchmark that the first argument names, with the rest as its arguments. */
public final class Benchmarks {

    private interface Benchmark {
        void run(String[] args) throws Exception;
    }

    private static final Map<String, Benchmark> BY_NAME = new TreeMap<>(Map.of(
            "decode", args -> jmh(DecodeBenchmark.class),
            "fold", args -> jmh(FoldBenchmark.class),
            "mau", args -> MauBenchmark.main(args),
            "pipeline", args -> PipelineBenchmark.main(args),
            "memory", args -> MemoryBenchmark.main(),
            "growth", args -> GrowthBenchmark.main(args),
            "rates", args -> HttpRatesBenchmark.main(args),
            "broker", args -> broker(args),
            "live", args -> LiveBenchmark.main(args),
            "http", args -> HttpBenchmark.main(args)));

    static {
        BY_NAME.put("mau-reads", args -> MauReadsBenchmark.main(args));
    }

    private Benchmarks() {}

    public static void main(String[] args) throws Exception {
        Benchmark benchmark = args.length == 0 ? null : BY_NAME.get(args[0]);
        if (benchmark == null) {
            System.out.println("Choose one with -Dbench=…: " + String.join(", ", BY_NAME.keySet()));
            return;
        }
        benchmark.run(Arrays.copyOfRange(args, 1, args.length));
        // The timers of libraries would keep the process.
        System.exit(0);
    }

    private static void broker(String[] args) throws Exception {
        SampleEvents events = new SampleEvents(1, 1_000, 1_000_000);
        BrokerBenchmark.run(args, count -> events.payload(count, Instant.now()));
    }

    private static void jmh(Class<?> benchmark) throws Exception {
        var unused = new Runner(new OptionsBuilder()
                        .include(benchmark.getName())
                        .addProfiler(GCProfiler.class)
                        .forks(1)
                        .warmupIterations(3)
                        .measurementIterations(5)
                        .build())
                .run();
    }
}
