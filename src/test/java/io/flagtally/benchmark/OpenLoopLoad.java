package io.flagtally.benchmark;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpMethod;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/**
 * Sends requests at a fixed rate, whatever the answers take; the time of a request counts from when it should have been
 * sent, so that a stall of the service is not hidden by a load that waits for it.
 */
final class OpenLoopLoad {

    private static final int CONNECTIONS = 256;
    private static final int OUTSTANDING_MAX = 4_000;
    private static final int TEMPLATES = 64;
    private static final Duration ANSWERS_PATIENCE = Duration.ofSeconds(30);

    private final Vertx vertx;
    private final HttpClient http;
    private final int port;
    private final int batch;
    private final List<LoadBody> bodies = new ArrayList<>();
    private final SplittableRandom random = new SplittableRandom(7);
    private final AtomicInteger outstanding = new AtomicInteger();
    private final Map<String, LongAdder> answers = new ConcurrentSkipListMap<>();
    private final Histogram micros = new ConcurrentHistogram(3);

    OpenLoopLoad(Vertx vertx, int port, int batch) {
        this.vertx = vertx;
        this.port = port;
        this.batch = batch;
        http = vertx.createHttpClient(new HttpClientOptions()
                .setDefaultHost("127.0.0.1")
                .setDefaultPort(port)
                .setMaxPoolSize(CONNECTIONS)
                .setMaxWaitQueueSize(OUTSTANDING_MAX));
        SampleEvents events = new SampleEvents(1, 1_000, 1_000_000);
        for (int i = 0; i < TEMPLATES; i++) {
            bodies.add(new LoadBody(events, batch));
        }
    }

    /** Sends for {@code duration} and returns when every answer is there. */
    void run(double eventsPerSecond, Duration duration) {
        double nanosApart = 1e9 * batch / eventsPerSecond;
        long start = System.nanoTime();
        long requests = (long) (duration.toNanos() / nanosApart);
        for (long i = 0; i < requests; i++) {
            long due = start + (long) (i * nanosApart);
            for (long wait = due - System.nanoTime(); wait > 0; wait = due - System.nanoTime()) {
                LockSupport.parkNanos(wait);
            }
            send(due);
        }
        long end = System.nanoTime() + ANSWERS_PATIENCE.toNanos();
        while (outstanding.get() > 0 && System.nanoTime() < end) {
            LockSupport.parkNanos(1_000_000);
        }
        if (outstanding.get() > 0) {
            answers.computeIfAbsent("never answered", h -> new LongAdder()).add(outstanding.get());
        }
    }

    /** Keeps {@code clients} requests on their way for {@code duration}; gives how many a second were answered with 200. */
    double saturate(int clients, Duration duration) {
        long start = System.nanoTime();
        while (System.nanoTime() - start < duration.toNanos()) {
            if (outstanding.get() < clients) {
                send(System.nanoTime());
            } else {
                LockSupport.parkNanos(20_000);
            }
        }
        LongAdder taken = answers.get("200");
        return taken == null ? 0 : taken.sum() / (duration.toNanos() / 1e9);
    }

    Histogram micros() {
        return micros;
    }

    /** How many requests were answered how. */
    Map<String, LongAdder> answers() {
        return answers;
    }

    private void send(long due) {
        if (outstanding.get() >= OUTSTANDING_MAX) {
            answered("not sent: " + OUTSTANDING_MAX + " outstanding", due);
            return;
        }
        outstanding.incrementAndGet();
        byte[] body = bodies.get(random.nextInt(TEMPLATES)).next(random, System.currentTimeMillis() / 1000);
        var unused = http.request(HttpMethod.POST, "/register_events")
                .compose(request -> request.putHeader("authorization", "local")
                        .putHeader("content-type", "application/json")
                        .send(Buffer.buffer(body)))
                .compose(response -> response.body()
                        .map(text -> response.statusCode() == 200 && text.length() > 14
                                ? "200 with errors"
                                : Integer.toString(response.statusCode())))
                .onComplete(done -> {
                    outstanding.decrementAndGet();
                    answered(done.succeeded() ? done.result() : String.valueOf(done.cause()), due);
                });
    }

    private void answered(String how, long due) {
        answers.computeIfAbsent(how, h -> new LongAdder()).increment();
        micros.recordValue((System.nanoTime() - due) / 1_000);
    }

    void close() {
        var unused = http.close();
    }
}
