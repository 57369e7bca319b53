package io.flagtally.benchmark;

import io.flagtally.packaged.ServiceProcess;
import io.flagtally.testing.LiveEvents;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpMethod;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/**
 * Readers of live streams, one flag each, and a prober: it sends an evaluation of the variation {@code probe} of a flag,
 * and each reader of that flag notes when its count shows. Latency counts from when the event is sent.
 */
final class LiveAudience implements AutoCloseable {

    private static final String PROBE = "{\"variationId\":\"probe\",\"events\":";
    private static final long PAUSE_NANOS = 100_000_000;
    private static final int MESSAGE_CHARS_MAX = 1 << 20;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final ServiceProcess service;
    private final HttpClient http;
    private final int readers;
    private final int flags;
    private final AtomicInteger open = new AtomicInteger();
    private final AtomicInteger ended = new AtomicInteger();
    private final LongAdder messages = new LongAdder();
    private final LongAdder bytes = new LongAdder();
    private final LongAdder missed = new LongAdder();
    private final AtomicLongArray sentNanos;
    private final AtomicLongArray sent;
    private final List<Reader> all = new ArrayList<>();
    private final Histogram micros = new ConcurrentHistogram(3);

    LiveAudience(Vertx vertx, ServiceProcess service, int readers, int flags) {
        this.service = service;
        this.readers = readers;
        this.flags = flags;
        this.sentNanos = new AtomicLongArray(flags);
        this.sent = new AtomicLongArray(flags);
        http = vertx.createHttpClient(new HttpClientOptions()
                .setDefaultHost("127.0.0.1")
                .setDefaultPort(service.port())
                .setMaxPoolSize(readers)
                .setMaxWaitQueueSize(readers));
    }

    /** Opens all streams and returns when each has its snapshot. */
    void open() throws InterruptedException {
        for (int flag = 0; flag < flags; flag++) {
            probe(flag);
        }
        for (int i = 0; i < readers; i++) {
            Reader reader = new Reader(i % flags);
            all.add(reader);
            reader.open();
        }
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (open.get() < readers && System.nanoTime() < end) {
            LockSupport.parkNanos(10_000_000);
        }
        System.out.printf("%n%d of %d readers have their snapshot%n", open.get(), readers);
    }

    /** Sends a probe every tenth of a second. */
    void probe(Duration duration) {
        micros.reset();
        messages.reset();
        bytes.reset();
        missed.reset();
        long end = System.nanoTime() + duration.toNanos();
        try {
            for (int i = 0; System.nanoTime() < end; i++) {
                probe(i % flags);
                LockSupport.parkNanos(PAUSE_NANOS);
            }
            Thread.sleep(3_000);
            all.forEach(Reader::judge);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    void print() {
        System.out.printf(
                "event to reader, from its sending: p50 %.0f ms, p99 %.0f ms, max %.0f ms (%d times; %d readers lack the last"
                        + " probe)%n",
                micros.getValueAtPercentile(50) / 1e3,
                micros.getValueAtPercentile(99) / 1e3,
                micros.getMaxValue() / 1e3,
                micros.getTotalCount(),
                missed.sum());
        System.out.printf("%d messages, %.1f MB; %d streams ended%n", messages.sum(), bytes.sum() / 1e6, ended.get());
    }

    @Override
    public void close() {
        var unused = http.close();
    }

    private void probe(int flag) throws InterruptedException {
        List<String> event =
                List.of(LiveEvents.event("feature-" + flag, "probe", "prober", System.currentTimeMillis() / 1000));
        sentNanos.set(flag, System.nanoTime());
        if (LiveEvents.send(service.uri(""), "local", event)) {
            sent.incrementAndGet(flag);
        }
    }

    private final class Reader {
        private final int flag;
        private String rest = "";
        private long seen = -1;

        Reader(int flag) {
            this.flag = flag;
        }

        void open() {
            var unused = http.request(HttpMethod.GET, "/v1/live/evaluation_counts?featureId=feature-" + flag)
                    .compose(request ->
                            request.putHeader("authorization", "local").send())
                    .onSuccess(response -> {
                        response.handler(this::take);
                        response.exceptionHandler(failure -> ended.incrementAndGet());
                        response.endHandler(end -> ended.incrementAndGet());
                    })
                    .onFailure(failure -> ended.incrementAndGet());
        }

        private void take(Buffer chunk) {
            bytes.add(chunk.length());
            rest += chunk.toString();
            for (int end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
                message(rest.substring(0, end));
                rest = rest.substring(end + 2);
            }
            if (rest.length() > MESSAGE_CHARS_MAX) {
                throw new IllegalStateException("a message without end");
            }
        }

        private void message(String text) {
            messages.increment();
            int at = text.indexOf(PROBE);
            if (at < 0) {
                return;
            }
            int from = at + PROBE.length();
            int to = from;
            while (Character.isDigit(text.charAt(to))) {
                to++;
            }
            long events = Long.parseLong(text.substring(from, to));
            if (seen < 0) {
                open.incrementAndGet();
            } else if (events > seen) {
                micros.recordValue(Math.max(0, System.nanoTime() - sentNanos.get(flag)) / 1_000);
            }
            seen = events;
        }

        void judge() {
            if (seen < sent.get(flag)) {
                missed.increment();
            }
        }
    }
}
