package io.flagtally.benchmark;

import io.flagtally.codec.BucketeerCodec;
import io.flagtally.codec.EventCodec;
import io.flagtally.codec.MalformedEventException;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagEvent;
import io.flagtally.event.SourceId;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.Rollup;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Time and memory to fold one event into the counters of a batch of 10,000. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class FoldBenchmark {

    private static final int EVENTS = 10_000;

    private final BucketCalendar calendar = new BucketCalendar(ZoneOffset.UTC);
    private final List<FlagEvent> events = events();

    @Benchmark
    @OperationsPerInvocation(EVENTS)
    public Rollup fold() {
        Rollup rollup = new Rollup(calendar);
        for (FlagEvent event : events) {
            rollup.fold(event);
        }
        return rollup;
    }

    private static List<FlagEvent> events() {
        List<FlagEvent> events = new ArrayList<>(EVENTS);
        byte[] payload = new SampleEvents(1, 1000, 1_000_000).payload(EVENTS, Instant.parse("2026-11-21T12:00:00Z"));
        new BucketeerCodec().decode(payload, EnvironmentId.DEFAULT, SourceId.WEB, new EventCodec.Visitor() {
            @Override
            public void event(FlagEvent event, int offset, int length) {
                events.add(event);
            }

            @Override
            public void malformed(MalformedEventException fault, int offset, int length) {
                throw new IllegalStateException(fault);
            }
        });
        return events;
    }
}
