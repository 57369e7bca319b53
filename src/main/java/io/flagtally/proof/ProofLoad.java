package io.flagtally.proof;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Clients that behave as clients do: they send a request again, with the same ids, until it is acknowledged, and now
 * and then once more after that.
 */
final class ProofLoad {

    static final int FLAGS = 8;
    static final int VARIATIONS = 3;
    private static final int CLIENTS = 4;
    private static final int EVENTS_A_REQUEST = 25;
    private static final double SENT_AGAIN = 0.1;
    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(6);
    private static final Duration PAUSE_AFTER_FAILURE = Duration.ofMillis(100);
    private static final int OK = 200;

    private final URI door;
    private final String key;
    private final int requests;
    private final Duration pace;
    private final long epochSecond;
    private final Random seeds;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();
    private final AtomicLongArray sent = new AtomicLongArray(FLAGS * VARIATIONS);
    private final AtomicLongArray distinct = new AtomicLongArray(FLAGS * VARIATIONS);
    private final AtomicInteger acknowledged = new AtomicInteger();
    private final AtomicInteger failed = new AtomicInteger();

    /**
     * @param requests how many different requests to send
     * @param pace how long a client rests between two requests
     */
    ProofLoad(URI door, String key, int requests, Duration pace, long epochSecond, long seed) {
        this.door = door;
        this.key = key;
        this.requests = requests;
        this.pace = pace;
        this.epochSecond = epochSecond;
        this.seeds = new Random(seed);
    }

    /** Sends everything; returns when each request was acknowledged. */
    void run() throws InterruptedException {
        ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
        try {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                Random random = new Random(seeds.nextLong());
                running.add(clients.submit(() -> client(random)));
            }
            for (Future<?> client : running) {
                client.get();
            }
        } catch (ExecutionException e) {
            throw new IllegalStateException("a client of the proof failed", e.getCause());
        } finally {
            clients.shutdownNow();
        }
    }

    static String flag(int number) {
        return "flag-" + number;
    }

    static String variation(int number) {
        return "variation-" + number;
    }

    long sent(int flag, int variation) {
        return sent.get(flag * VARIATIONS + variation);
    }

    long distinct(int flag, int variation) {
        return distinct.get(flag * VARIATIONS + variation);
    }

    int acknowledged() {
        return acknowledged.get();
    }

    /** Requests that were answered otherwise than with 200, or not at all, and sent again. */
    int failed() {
        return failed.get();
    }

    private Void client(Random random) throws InterruptedException {
        for (int i = 0; i < requests / CLIENTS; i++) {
            Request request = request(random.nextInt(FLAGS), random);
            request.addTo(distinct);
            while (!send(request)) {
                failed.incrementAndGet();
                Thread.sleep(PAUSE_AFTER_FAILURE.toMillis());
            }
            acknowledged.incrementAndGet();
            if (random.nextDouble() < SENT_AGAIN) {
                send(request);
            }
            Thread.sleep(pace.toMillis());
        }
        return null;
    }

    /**
     * A request.
     *
     * @param events how many there are of each variation
     */
    private record Request(int flag, int[] events, String body) {

        void addTo(AtomicLongArray sums) {
            for (int variation = 0; variation < VARIATIONS; variation++) {
                sums.addAndGet(flag * VARIATIONS + variation, events[variation]);
            }
        }
    }

    private boolean send(Request request) throws InterruptedException {
        HttpRequest post = HttpRequest.newBuilder(door)
                .timeout(REQUEST_TIMEOUT)
                .header("authorization", key)
                .header("content-type", "application/json")
                .POST(BodyPublishers.ofString(request.body))
                .build();
        request.addTo(sent);
        try {
            HttpResponse<String> answer = http.send(post, BodyHandlers.ofString());
            return answer.statusCode() == OK && answer.body().replace(" ", "").equals("{\"errors\":{}}");
        } catch (IOException e) {
            return false;
        }
    }

    private Request request(int flag, Random random) {
        int[] events = new int[VARIATIONS];
        StringBuilder body = new StringBuilder("{\"events\":[");
        for (int i = 0; i < EVENTS_A_REQUEST; i++) {
            int variation = random.nextInt(VARIATIONS);
            events[variation]++;
            body.append(i == 0 ? "" : ",").append(event(flag, variation, random));
        }
        body.append("],\"sourceId\":\"GO_SERVER\",\"sdkVersion\":\"prove\"}");
        return new Request(flag, events, body.toString());
    }

    private String event(int flag, int variation, Random random) {
        long high = random.nextLong() & ~0xF000L | 0x4000L;
        long low = random.nextLong() & ~(0b11L << 62) | 0b10L << 62;
        return "{\"id\":\"" + new UUID(high, low)
                + "\",\"event\":{\"@type\":\"type.googleapis.com/bucketeer.event.client.EvaluationEvent\",\"timestamp\":"
                + epochSecond + ",\"featureId\":\"" + flag(flag) + "\",\"variationId\":\"" + variation(variation)
                + "\",\"userId\":\"user-" + random.nextInt(10_000) + "\",\"reason\":{\"type\":\"RULE\"}}}";
    }
}
