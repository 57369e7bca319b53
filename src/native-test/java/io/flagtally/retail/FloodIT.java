package io.flagtally.retail;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.packaged.ServiceProcess;
import io.flagtally.testing.ChildServer;
import io.flagtally.testing.RedisServerForTests;
import io.flagtally.testing.TestData;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.Test;

/** Clients send ten times at once what the service may hold, while its store is slow and then stands still. */
class FloodIT {

    private static final long HELD_BYTES_MAX = 8 << 20;
    private static final int EVENTS = 100;
    private static final int EVENT_BYTES = 2_048;
    private static final int CLIENTS = (int) (10 * HELD_BYTES_MAX / (EVENTS * EVENT_BYTES));
    private static final int REQUESTS_A_CLIENT = 3;
    private static final String FLAG = "flooded";
    private static final Duration STANDSTILL = Duration.ofSeconds(8);
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    /** What compiled code and buffers may grow by while the flood goes on against a store that stands still. */
    private static final long GROWTH_BYTES_MAX = 48 << 20;

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final Map<Integer, LongAdder> answers = new ConcurrentSkipListMap<>();
    private final LongAdder refusedWithoutRetryAfter = new LongAdder();
    private final AtomicInteger open = new AtomicInteger();

    @Test
    void flood_slowAndStandingStore_memoryStaysFlatAndAllAcceptedIsCounted() throws Exception {
        try (RedisServerForTests redis = RedisServerForTests.start();
                ServiceProcess service = start(redis, HELD_BYTES_MAX)) {
            List<CompletableFuture<Void>> flood = flood(service);
            Watched slow = watch(service, redis, true);
            redis.pause();
            Watched standing = watch(service, redis, false);
            redis.resume();
            CompletableFuture.allOf(flood.toArray(CompletableFuture[]::new))
                    .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);

            assertTrue(answers.getOrDefault(429, new LongAdder()).sum() > 0, () -> "nobody was refused: " + answers);
            assertEquals(0, refusedWithoutRetryAfter.sum(), "refusals without Retry-After");
            long held = Math.max(slow.heldBytes, standing.heldBytes);
            assertTrue(held <= HELD_BYTES_MAX, "held " + held + " bytes of " + HELD_BYTES_MAX);
            assertTrue(held > HELD_BYTES_MAX / 4, "the flood held only " + held + " bytes, so it was none");
            long grown = standing.resident - slow.resident;
            assertTrue(grown < GROWTH_BYTES_MAX, "the process grew by " + (grown >> 20) + " MiB");
            long sent = (long) CLIENTS * REQUESTS_A_CLIENT * EVENTS;
            assertEquals(
                    sent,
                    new EventCounter(service.uri(""))
                            .thirtyDays(FLAG)
                            .events()
                            .get("v")
                            .total(),
                    () -> "answers: " + answers);
        }
    }

    @Test
    void flood_boundLifted_isHeld() throws Exception {
        try (RedisServerForTests redis = RedisServerForTests.start();
                ServiceProcess service = start(redis, 100 * HELD_BYTES_MAX)) {
            redis.pause();
            var unused = flood(service);

            Watched standing = watch(service, redis, false);

            assertTrue(standing.heldBytes > 2 * HELD_BYTES_MAX, "held only " + standing.heldBytes + " bytes");
            redis.resume();
        } finally {
            open.set(Integer.MIN_VALUE);
        }
    }

    /** The most that was seen. */
    private record Watched(long heldBytes, long resident) {}

    private static Watched watch(ServiceProcess service, RedisServerForTests redis, boolean slow) throws Exception {
        long end = System.nanoTime() + STANDSTILL.toNanos();
        long held = 0;
        long resident = 0;
        while (System.nanoTime() < end) {
            if (slow) {
                redis.pause();
                Thread.sleep(300);
                redis.resume();
            }
            Thread.sleep(100);
            held = Math.max(held, heldBytes(service));
            resident = Math.max(resident, ProcessMemory.resident(service.pid()));
        }
        return new Watched(held, resident);
    }

    private static long heldBytes(ServiceProcess service) {
        return service.get("/q/metrics")
                .body()
                .lines()
                .filter(line -> line.startsWith("flagtally_ingest_in_flight_bytes"))
                .mapToLong(line -> (long) Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }

    private List<CompletableFuture<Void>> flood(ServiceProcess service) {
        List<CompletableFuture<Void>> clients = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            CompletableFuture<Void> client = CompletableFuture.completedFuture(null);
            for (int j = 0; j < REQUESTS_A_CLIENT; j++) {
                client = client.thenCompose(sent -> untilAccepted(service, body()));
            }
            clients.add(client);
        }
        return clients;
    }

    /** Sends the same request until it is accepted, sooner than it is asked to: this is a flood. */
    private CompletableFuture<Void> untilAccepted(ServiceProcess service, byte[] body) {
        if (open.get() < 0) {
            return CompletableFuture.completedFuture(null);
        }
        HttpRequest request = HttpRequest.newBuilder(service.uri("/register_events"))
                .header("authorization", "local")
                .POST(BodyPublishers.ofByteArray(body))
                .build();
        return http.sendAsync(request, BodyHandlers.ofString())
                .thenApply(this::seen)
                .exceptionally(cut -> 0)
                .thenCompose(status -> status == 200
                        ? CompletableFuture.<Void>completedFuture(null)
                        : CompletableFuture.runAsync(
                                        () -> {}, CompletableFuture.delayedExecutor(500, TimeUnit.MILLISECONDS))
                                .thenCompose(waited -> untilAccepted(service, body)));
    }

    private int seen(HttpResponse<String> answer) {
        answers.computeIfAbsent(answer.statusCode(), status -> new LongAdder()).increment();
        if (answer.statusCode() != 200
                && answer.headers().firstValue("retry-after").isEmpty()) {
            refusedWithoutRetryAfter.increment();
        }
        return answer.statusCode();
    }

    private static byte[] body() {
        String padding = "x".repeat(EVENT_BYTES - 400);
        StringBuilder events = new StringBuilder(EVENTS * EVENT_BYTES);
        for (int i = 0; i < EVENTS; i++) {
            events.append(i == 0 ? "" : ",")
                    .append("{\"id\":\"")
                    .append(UUID.randomUUID())
                    .append("\",\"event\":{\"@type\":\"type.googleapis.com/bucketeer.event.client.EvaluationEvent\","
                            + "\"timestamp\":")
                    .append(System.currentTimeMillis() / 1_000)
                    .append(",\"featureId\":\"" + FLAG + "\",\"variationId\":\"v\",\"userId\":\"user-")
                    .append(i)
                    .append("\",\"reason\":{\"type\":\"RULE\"},\"note\":\"")
                    .append(padding)
                    .append("\"}}");
        }
        return ("{\"events\":[" + events + "]}").getBytes(StandardCharsets.UTF_8);
    }

    private static ServiceProcess start(RedisServerForTests redis, long heldBytesMax) {
        return ServiceProcess.in(TestData.newDirectory("flood"))
                .with("-Xmx256m")
                .with(ChildServer.RUNS_FAST)
                .with("-Dquarkus.http.host=127.0.0.1")
                .with("-Dflagtally.pipeline.sinks=counts")
                .with("-Dflagtally.ingest.in-flight.bytes-max=" + heldBytesMax)
                .with("-Dflagtally.redis.url=" + redis.url())
                .with("-Dflagtally.security.api-keys.test.key=local")
                .with("-Dflagtally.security.api-keys.test.roles=SDK_SERVER,READ_ONLY")
                .ready();
    }
}
