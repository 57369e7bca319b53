package io.flagtally.benchmark;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import io.flagtally.codec.BucketeerCodec;
import io.flagtally.codec.EventCodec;
import io.flagtally.codec.MalformedEventException;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagEvent;
import io.flagtally.event.SourceId;
import java.io.IOException;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.infra.Blackhole;

/** Time and memory to read one event of 2 KB, beside a pass of Jackson's parser over the same bytes. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class DecodeBenchmark {

    private static final int EVENTS = 50;

    private final byte[] payload =
            new SampleEvents(1, 1000, 1_000_000).payload(EVENTS, Instant.parse("2026-11-21T12:00:00Z"));
    private final BucketeerCodec codec = new BucketeerCodec();
    private final JsonFactory json = new JsonFactory();

    @Benchmark
    @OperationsPerInvocation(EVENTS)
    public void decode(Blackhole hole) {
        codec.decode(payload, EnvironmentId.DEFAULT, SourceId.WEB, new EventCodec.Visitor() {
            @Override
            public void event(FlagEvent event, int offset, int length) {
                hole.consume(event);
            }

            @Override
            public void malformed(MalformedEventException fault, int offset, int length) {
                throw new IllegalStateException(fault);
            }
        });
    }

    /** Every token once, nothing kept. */
    @Benchmark
    @OperationsPerInvocation(EVENTS)
    public void jacksonPass(Blackhole hole) throws IOException {
        try (JsonParser parser = json.createParser(payload)) {
            while (parser.nextToken() != null || !parser.isClosed()) {
                hole.consume(parser.currentToken());
            }
        }
    }
}
