package io.flagtally.live;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.flagtally.packaged.ServiceProcess;
import io.flagtally.testing.LiveClient;
import io.flagtally.testing.LiveEvents;
import io.flagtally.testing.PostgresServerForTests;
import io.flagtally.testing.RedisServerForTests;
import io.flagtally.testing.TestData;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Two instances on the same stores, and readers of their streams. */
class LiveStreamsIT {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int CUTS = 50;
    private static final int ROUNDS = 40;
    private static final int READERS_PER_KEY_MAX = 110;
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> FLAGS = List.of("live-a", "live-b", "live-c", "live-d", "live-e");
    private static final String SEVEN = "live-seven";
    private static final String PATH = "/v1/live/evaluation_counts?featureId=" + String.join("&featureId=", FLAGS);

    private static RedisServerForTests redis;
    private static PostgresServerForTests postgres;
    private static volatile ServiceProcess one;
    private static volatile ServiceProcess other;

    @BeforeAll
    static void startBoth() {
        redis = RedisServerForTests.start();
        postgres = PostgresServerForTests.start();
        one = start(0, "5M");
        other = start(0, "5S");
    }

    @AfterAll
    static void stopBoth() {
        one.close();
        other.close();
        redis.close();
        postgres.close();
    }

    @Test
    void readerWhoIsCutFiftyTimes_overARestartAndTwoInstances_endsWithTheStateOfOneWhoWasNever() throws Exception {
        long seed = System.nanoTime();
        System.out.println("cuts of seed " + seed);
        AtomicBoolean enough = new AtomicBoolean();
        AtomicBoolean over = new AtomicBoolean();
        AtomicLong accepted = new AtomicLong();
        CompletableFuture<Void> replay = CompletableFuture.runAsync(() -> replay(enough, accepted));
        LiveClient uncut = new LiveClient(PATH, "local");
        assertEquals(200, uncut.open(other.uri("")));
        CompletableFuture<Void> reading = CompletableFuture.runAsync(() -> readUntil(uncut, over, accepted));
        LiveClient cut = new LiveClient(PATH, "local");

        try {
            cutAgainAndAgain(cut, new Random(seed));
        } finally {
            enough.set(true);
        }
        replay.get(1, TimeUnit.MINUTES);
        // Not before: only now is known how many events were accepted.
        over.set(true);
        openSomewhere(cut, new Random(seed));
        readUntil(cut, over, accepted);
        reading.get(2, TimeUnit.MINUTES);

        assertEquals(accepted.get(), uncut.events());
        assertEquals(uncut.flags(), cut.flags());
        for (String flag : FLAGS) {
            assertEquals(series(flag), variations(cut.flag(flag)), flag);
        }
        cut.close();
        uncut.close();
        for (ServiceProcess service : List.of(one, other)) {
            cut.open(service.uri(""));
            assertThrows(
                    SocketTimeoutException.class,
                    () -> cut.nextCounts(Duration.ofSeconds(3)),
                    "who has everything is sent no counts");
            cut.close();
        }
    }

    /** Half-way the one instance is killed and started again. */
    private static void cutAgainAndAgain(LiveClient cut, Random random) throws Exception {
        CompletableFuture<Void> restart = new CompletableFuture<>();
        for (int i = 0; i < CUTS; i++) {
            if (i == CUTS / 2) {
                var unused = CompletableFuture.runAsync(LiveStreamsIT::restartOne)
                        .whenComplete((done, failure) -> settle(restart, failure));
            }
            openSomewhere(cut, random);
            readFor(cut, Duration.ofMillis(random.nextInt(600)));
            cut.close();
        }
        restart.get(3, TimeUnit.MINUTES);
    }

    @Test
    void hundredReadersWhoNeverRead_slowNobodyAndAreSentAway() throws Exception {
        // A change of all flags is some 200 KB: what sockets take is soon full, and kept for all it would fill the
        // heap.
        String many = manyFlags();
        List<Socket> never = new ArrayList<>();
        LiveClient reader = new LiveClient("/v1/live/evaluation_counts?featureId=" + SEVEN, "local");
        reader.open(one.uri(""));
        reader.nextCounts(PATIENCE);
        long without = slowest(reader);
        try {
            for (int i = 0; i < 100; i++) {
                never.add(neverReading(one.uri(""), many));
            }
            Awaitility.await().atMost(PATIENCE).until(() -> readers(one) == 101);

            long with = slowest(reader);
            System.out.printf(
                    "slowest but one of %d updates: %d ms, with 100 who never read %d ms%n", ROUNDS, without, with);
            assertTrue(with < Math.max(1_000, 3 * without), with + " ms, and without them " + without + " ms");
            assertTrue(one.metric("flagtally_live_bytes") > 0, "messages wait for them");

            for (int i = 0; i < READERS_PER_KEY_MAX - 101; i++) {
                never.add(neverReading(one.uri(""), PATH));
            }
            Awaitility.await().atMost(PATIENCE).until(() -> readers(one) == READERS_PER_KEY_MAX);
            LiveClient oneTooMany = new LiveClient(PATH, "local");
            assertEquals(429, oneTooMany.open(one.uri("")));
            assertTrue(oneTooMany.headers().toLowerCase(Locale.ROOT).contains("retry-after: 1"));
            oneTooMany.close();
            assertEquals(200, oneTooMany.open(other.uri("")), "the bound is of an instance");
            oneTooMany.close();
        } finally {
            for (Socket socket : never) {
                socket.close();
            }
        }
        Awaitility.await().atMost(PATIENCE).until(() -> readers(one) == 1);
        reader.close();
    }

    /** Milliseconds from sending to seeing, the slowest of many but one, while the many flags change as well. */
    private static long slowest(LiveClient reader) throws Exception {
        List<Long> millis = new ArrayList<>();
        for (int round = 0; round < ROUNDS; round++) {
            long events = reader.events();
            long sent = System.nanoTime();
            sendAll(one, sevenEvents());
            while (reader.events() < events + 7) {
                reader.nextCounts(Duration.ofSeconds(20));
            }
            millis.add((System.nanoTime() - sent) / 1_000_000);
            changeMany(one);
        }
        Collections.sort(millis);
        return millis.get(ROUNDS - 2);
    }

    @Test
    void readerWhoTakesNothing_isCut() throws Exception {
        String many = manyFlags();
        try (Socket never = neverReading(other.uri(""), many)) {
            Awaitility.await().atMost(PATIENCE).until(() -> readers(other) == 1);
            Awaitility.await()
                    .atMost(Duration.ofMinutes(2))
                    .pollInterval(Duration.ofMillis(200))
                    .until(() -> {
                        changeMany(other);
                        return readers(other) == 0;
                    });
            awaitEnd(never);
        }
    }

    /** Reads what is on its way, until the connection ends. */
    private static void awaitEnd(Socket socket) throws IOException {
        socket.setSoTimeout((int) PATIENCE.toMillis());
        byte[] rest = new byte[64 * 1024];
        try {
            while (socket.getInputStream().read(rest) >= 0) {}
        } catch (SocketException reset) {
            // A reset is an end as well; silence would be a SocketTimeoutException.
            socket.close();
        }
    }

    @Test
    void ticketOfOneInstance_opensAStreamAtTheOther() throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(one.uri("/v1/live/tickets"))
                .header("authorization", "local")
                .POST(HttpRequest.BodyPublishers.noBody());
        String ticket = JSON.readTree(one.send(request).body()).path("ticket").asText();

        LiveClient client = new LiveClient(PATH + "&ticket=" + ticket, "");
        assertEquals(200, client.open(other.uri("")));
        client.nextCounts(PATIENCE);
        client.close();

        LiveClient forged = new LiveClient(PATH + "&ticket=A" + ticket, "");
        assertEquals(403, forged.open(other.uri("")));
        forged.close();
        Awaitility.await().atMost(PATIENCE).pollInterval(Duration.ofSeconds(1)).until(() -> {
            int status = client.open(other.uri(""));
            client.close();
            return status == 401;
        });
    }

    private static ServiceProcess start(int port, String stallMax) {
        ServiceProcess.Start start = ServiceProcess.in(TestData.newDirectory("live"))
                .with("-Xmx256m")
                .with("-Dflagtally.redis.url=" + redis.url())
                .with("-Dflagtally.postgres.url=postgresql://127.0.0.1:" + postgres.port() + "/postgres")
                .with("-Dflagtally.security.embedded-key=local")
                .with("-Dflagtally.live.readers-per-key-max=" + READERS_PER_KEY_MAX)
                .with("-Dflagtally.live.stall-max=" + stallMax)
                .with("-Dflagtally.live.ticket-lifetime=10s")
                .with("-Dquarkus.http.host=127.0.0.1");
        return (port == 0 ? start : start.port(port)).ready();
    }

    private static void settle(CompletableFuture<Void> future, @Nullable Throwable failure) {
        if (failure == null) {
            future.complete(null);
        } else {
            future.completeExceptionally(failure);
        }
    }

    private static void restartOne() {
        int port = one.port();
        one.kill();
        one = start(port, "5M");
    }

    /** Sends events to whichever instance takes them, each request again until it is taken. */
    private static void replay(AtomicBoolean enough, AtomicLong accepted) {
        Random random = new Random(7);
        try {
            while (!enough.get()) {
                List<String> events = new ArrayList<>();
                for (int i = 0; i < 20; i++) {
                    events.add(LiveEvents.event(
                            FLAGS.get(random.nextInt(FLAGS.size())),
                            "v" + random.nextInt(3),
                            "user-" + random.nextInt(2_000),
                            System.currentTimeMillis() / 1000));
                }
                while (!LiveEvents.send((random.nextBoolean() ? one : other).uri(""), "local", events)) {
                    Thread.sleep(50);
                }
                accepted.addAndGet(events.size());
                Thread.sleep(20);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void openSomewhere(LiveClient client, Random random) throws IOException {
        while (true) {
            ServiceProcess service = random.nextBoolean() ? one : other;
            try {
                if (client.open(service.uri("")) == 200) {
                    return;
                }
            } catch (IOException away) {
                // The other one is there.
                client.close();
            }
        }
    }

    private static void readFor(LiveClient client, Duration duration) throws IOException {
        long end = System.nanoTime() + duration.toNanos();
        try {
            for (long left = duration.toNanos(); left > 0; left = end - System.nanoTime()) {
                client.next(Duration.ofNanos(Math.max(1_000_000, left)));
            }
        } catch (SocketTimeoutException | EOFException | SocketException cutOrQuiet) {
            client.close();
        }
    }

    /** Reads until the replay is over and everything it had accepted is there. */
    private static void readUntil(LiveClient client, AtomicBoolean over, AtomicLong accepted) {
        long end = System.nanoTime() + Duration.ofMinutes(4).toNanos();
        try {
            while (!over.get() || client.events() < accepted.get()) {
                if (System.nanoTime() > end) {
                    throw new AssertionError(client.events() + " of " + accepted + " events were told");
                }
                try {
                    client.next(Duration.ofSeconds(1));
                } catch (SocketTimeoutException quiet) {
                    // A pulse comes only with a change.
                    continue;
                }
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static String manyFlags() throws InterruptedException {
        List<String> events = new ArrayList<>();
        StringBuilder path = new StringBuilder("/v1/live/evaluation_counts?top=1");
        for (int flag = 0; flag < 100; flag++) {
            path.append("&featureId=many-").append(flag);
            for (int variation = 0; variation < 20; variation++) {
                events.add(LiveEvents.event(
                        "many-" + flag, "v" + variation, "u" + variation, System.currentTimeMillis() / 1000));
            }
        }
        sendAll(one, events);
        return path.toString();
    }

    private static List<String> sevenEvents() {
        List<String> events = new ArrayList<>();
        for (int i = 0; i < 7; i++) {
            events.add(LiveEvents.event(SEVEN, "v0", "u" + i, System.currentTimeMillis() / 1000));
        }
        return events;
    }

    private static void changeMany(ServiceProcess service) throws InterruptedException {
        List<String> events = new ArrayList<>();
        for (int flag = 0; flag < 100; flag++) {
            events.add(LiveEvents.event("many-" + flag, "v0", "u0", System.currentTimeMillis() / 1000));
        }
        sendAll(service, events);
    }

    /** Sends until they are taken; what was counted before is recognised. */
    private static void sendAll(ServiceProcess service, List<String> events) {
        Awaitility.await().atMost(PATIENCE).until(() -> LiveEvents.send(service.uri(""), "local", events));
    }

    private static Socket neverReading(URI service, String path) throws IOException {
        Socket socket = new Socket();
        socket.setReceiveBufferSize(4_096);
        socket.connect(new InetSocketAddress("127.0.0.1", service.getPort()), 5_000);
        String request = "GET " + path + " HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: local\r\n\r\n";
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    private static double readers(ServiceProcess service) {
        return service.metric("flagtally_live_readers");
    }

    private static Map<String, Long> series(String flag) throws IOException {
        HttpRequest.Builder request = HttpRequest.newBuilder(
                        one.uri("/v1/evaluation_series?featureId=" + flag + "&from=" + LocalDate.now(ZoneOffset.UTC)))
                .header("authorization", "local");
        Map<String, Long> events = new TreeMap<>();
        JSON.readTree(one.send(request).body())
                .path("variations")
                .forEach(each -> events.put(
                        each.path("variationId").asText(),
                        each.at("/total/events").asLong()));
        return events;
    }

    private static Map<String, Long> variations(JsonNode flag) {
        Map<String, Long> events = new TreeMap<>();
        flag.path("variations")
                .forEach(each -> events.put(
                        each.path("variationId").asText(), each.path("events").asLong()));
        return events;
    }
}
