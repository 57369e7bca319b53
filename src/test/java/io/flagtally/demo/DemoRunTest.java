package io.flagtally.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Runs of the demo against a server that remembers what it is sent, with a clock that the test sets. */
class DemoRunTest {

    private static final Instant NOON = Instant.parse("2026-11-18T12:00:00Z");
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final ObjectMapper JSON = new ObjectMapper();

    /** A request with events, and the name of the environment when it came. */
    private record Sent(String body, @Nullable String name) {}

    private final List<Sent> sent = new CopyOnWriteArrayList<>();
    private final AtomicReference<@Nullable String> name = new AtomicReference<>();
    private final AtomicReference<@Nullable Instant> lastEvent = new AtomicReference<>();
    private volatile Instant now = NOON;
    private HttpServer server;

    @BeforeEach
    void listen() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    @AfterEach
    void close() {
        server.stop(0);
    }

    @Test
    void firstStart_cutOff_isTakenUpWhereItWas() throws Exception {
        runUntil(() -> written().isBefore(NOON.minus(Duration.ofHours(7))));
        assertTrue(sent.stream().allMatch(each -> DemoProgress.of(each.name) != null), "said before anything is sent");
        Instant written = written();
        Set<String> before = ids();
        now = NOON.plusSeconds(5);
        sent.clear();

        runUntil(() -> written().isBefore(written));

        Set<String> again = new HashSet<>(ids());
        again.retainAll(before);
        assertTrue(again.size() < before.size() / 10, "what was written is not sent again: " + again.size());
        Set<String> both = ids();
        both.addAll(before);
        DemoHistory history = new DemoHistory(NOON, ZoneOffset.UTC);
        for (Instant hour = NOON.minus(Duration.ofHours(1));
                !hour.isBefore(written());
                hour = hour.minus(1, ChronoUnit.HOURS)) {
            for (List<String> events : history.hour(hour).values()) {
                for (String event : events) {
                    assertTrue(both.contains(JSON.readTree(event).get("id").asText()), "an event of " + hour);
                }
            }
        }
    }

    @Test
    void laterStart_whenHistoryIsComplete_makesUpForTheTimeWithoutIt() throws Exception {
        name.set(DemoRun.SHOP);
        lastEvent.set(NOON.minus(Duration.ofHours(3)));

        int strides = 90;
        int sdks = 4;
        runUntil(() -> sent.size() >= strides * sdks);

        assertEquals(DemoRun.SHOP, name.get());
        List<Instant> times = times();
        Duration late = Duration.ofHours(30);
        for (int hour = 0; hour < 3; hour++) {
            Instant end = NOON.minus(Duration.ofHours(hour));
            long inHour = times.stream()
                    .filter(time -> !time.isAfter(end) && time.isAfter(end.minus(Duration.ofHours(1))))
                    .count();
            assertTrue(inHour > 5_000, inHour + " events of the hour before " + end);
        }
        assertTrue(times.stream().anyMatch(time -> time.isBefore(NOON.minus(Duration.ofHours(4)))), "some come late");
        assertTrue(times.stream().allMatch(time -> time.isAfter(NOON.minus(late).minus(Duration.ofHours(4)))));
        assertFalse(new HashSet<>(sent).size() == sent.size(), "some come twice");
    }

    private void runUntil(BooleanSupplier enough) throws InterruptedException {
        DemoDoor door = new DemoDoor(
                URI.create("http://127.0.0.1:" + server.getAddress().getPort()), "demo");
        Thread run = new Thread(() -> {
            try {
                new DemoRun(door, () -> now, new Random(5), ZoneOffset.UTC).live();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        run.start();
        try {
            Awaitility.await().atMost(PATIENCE).until(enough::getAsBoolean);
        } finally {
            run.interrupt();
            run.join(PATIENCE.toMillis());
        }
    }

    /** Since when everything is written, as the name says. */
    private Instant written() {
        DemoProgress progress = DemoProgress.of(name.get());
        return progress == null ? Instant.MAX : progress.since();
    }

    private Set<String> ids() {
        Set<String> ids = new HashSet<>();
        events().forEach(event -> ids.add(event.get("id").asText()));
        return ids;
    }

    private List<Instant> times() {
        return events().stream()
                .map(event -> Instant.ofEpochSecond(event.at("/event/timestamp").asLong()))
                .toList();
    }

    private List<JsonNode> events() {
        List<JsonNode> events = new ArrayList<>();
        for (Sent each : sent) {
            json(each.body).get("events").forEach(events::add);
        }
        return events;
    }

    private void answer(HttpExchange exchange) throws IOException {
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        String path = exchange.getRequestURI().getPath();
        String answer = "{}";
        if (path.equals("/register_events")) {
            sent.add(new Sent(body, name.get()));
            if (lastEvent.get() == null) {
                lastEvent.set(NOON);
            }
        } else if (path.equals("/v1/environments")) {
            answer = lastEvent.get() == null
                    ? "{\"environments\":[]}"
                    : "{\"environments\":[{\"lastEventAt\":\"" + lastEvent.get() + "\"}]}";
        } else if (exchange.getRequestMethod().equals("PUT")) {
            name.set(json(body).at("/labels/0/name").asText());
        } else {
            answer = name.get() == null
                    ? "{\"labels\":[]}"
                    : "{\"labels\":[{\"kind\":\"ENVIRONMENT\",\"name\":\"" + name.get() + "\"}]}";
        }
        byte[] bytes = answer.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(200, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    private static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
