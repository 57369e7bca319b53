package io.flagtally.series;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.flagtally.event.EnvironmentId;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.platform.error.UnavailableException;
import io.flagtally.series.Reconciliation.Difference;
import io.flagtally.series.Reconciliation.Result;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Two counters over real HTTP: every difference is found, no other is, and a counter at fault is named in time. */
class ReconciliationTest {

    private static final LocalDate FROM = LocalDate.parse("2026-11-20");
    private static final LocalDate TO = LocalDate.parse("2026-11-21");
    private static final Instant FIRST = Instant.parse("2026-11-20T00:00:00Z");
    private static final Instant SECOND = Instant.parse("2026-11-21T00:00:00Z");
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Vertx vertx = Vertx.vertx();
    private final List<HttpServer> servers = new ArrayList<>();
    private final List<OtherCounter> clients = new ArrayList<>();

    @AfterEach
    void stop() {
        clients.forEach(OtherCounter::close);
        servers.forEach(server -> server.stop(0));
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    @Test
    void compare_equalCounters_differNowhere() {
        Map<String, Map<String, List<Long>>> counted = counted(1_203);

        Result result = compare(served(counted), served(counted), 10_000);

        assertEquals(1_203, result.flags());
        assertEquals(List.of(), result.differences());
    }

    @Test
    void compare_everyKindOfDifference_isFoundAndNoOther() {
        Map<String, Map<String, List<Long>>> here = counted(700);
        Map<String, Map<String, List<Long>>> there = counted(700);
        here.put("flag 0600", Map.of("on", List.of(5L, 6L), "default", List.of(0L, 0L)));
        there.put("flag 0600", Map.of("on", List.of(5L, 7L), "default", List.of(0L, 0L)));
        here.put("only here&there=no", Map.of("on", List.of(0L, 3L)));
        there.put("other variation", Map.of("on", List.of(1L, 1L), "new", List.of(2L, 0L)));
        here.put("other variation", Map.of("on", List.of(1L, 1L)));
        there.remove("flag 0001");

        Result result = compare(served(here), served(there), 10_000);

        assertEquals(
                List.of(
                        new Difference("flag 0001", "on", FIRST, 1, 0),
                        new Difference("flag 0001", "on", SECOND, 2, 0),
                        new Difference("flag 0600", "on", SECOND, 6, 7),
                        new Difference("only here&there=no", "on", SECOND, 3, 0),
                        new Difference("other variation", "new", FIRST, 0, 2)),
                result.differences());
    }

    @Test
    void compare_moreFlagsThanAllowed_isRefused() {
        Counter many = served(counted(11));

        RefusedException e = assertThrows(RefusedException.class, () -> compare(many, served(counted(1)), 10));

        assertTrue(e.detail().contains("flagtally.reconcile.flags-max"), e.detail());
    }

    @Test
    void compare_moreDifferencesThanTold_tellsTheFirstAndTheirNumber() {
        Result result = compare(served(counted(40)), served(Map.of()), 10_000, 5);

        assertEquals(79, result.different(), "the first flag has nothing on its first day");
        assertEquals(
                List.of(
                        new Difference("flag 0000", "on", SECOND, 1, 0),
                        new Difference("flag 0001", "on", FIRST, 1, 0),
                        new Difference("flag 0001", "on", SECOND, 2, 0),
                        new Difference("flag 0002", "on", FIRST, 2, 0),
                        new Difference("flag 0002", "on", SECOND, 3, 0)),
                result.differences());
    }

    @Test
    void compare_daysOfAnotherZone_areRefused() {
        Counter here = served("Etc/UTC", counted(1));

        assertEquals(1, compare(here, served("UTC", counted(1)), 10).flags(), "one zone under two names");
        RefusedException e =
                assertThrows(RefusedException.class, () -> compare(here, served("Asia/Tokyo", counted(1)), 10));
        assertTrue(e.detail().contains("Asia/Tokyo"), e.detail());
        assertTrue(e.detail().contains("flagtally.time.zone"), e.detail());
    }

    @Test
    void compare_aCounterThatRefusesOrRedirectsOrBabbles_isNamed() {
        assertNames("403, The API key is unknown", answering(403, "{\"detail\":\"The API key is unknown.\"}"));
        assertNames("it answers 302", answering(302, ""));
        assertNames("no JSON", answering(200, "<html>"));
        assertNames("none of a counter's", answering(200, "{\"flags\":[]}"));
        assertNames("none of a counter's", answering(200, "{\"zone\":\"UTC\",\"flags\":1}"));
        assertNames("a flag that cannot be", answering(200, "{\"zone\":\"UTC\",\"flags\":[{}]}"));
        assertNames("is over 2097152 bytes", answering(200, "[" + "1,".repeat(5_000_000) + "1]"));
    }

    @Test
    void compare_aCounterThatIsSilentOrAway_isNamedInTime() throws IOException {
        HttpServer silent = server(exchange -> {});
        assertNames("does not answer within 300 ms", client(silent, Duration.ofMillis(300)));
        HttpServer gone = server(exchange -> {});
        gone.stop(0);

        assertNames("127.0.0.1", client(gone, Duration.ofSeconds(5)));
    }

    private void assertNames(String fault, Counter broken) {
        UnavailableException e =
                assertThrows(UnavailableException.class, () -> compare(served(counted(1)), broken, 10));
        String message = String.valueOf(e.getMessage());
        assertTrue(message.startsWith("The counter at http://127.0.0.1:") && message.contains(fault), message);
    }

    private static Result compare(Counter here, Counter there, int flagsMax) {
        return compare(here, there, flagsMax, 1_000);
    }

    private static Result compare(Counter here, Counter there, int flagsMax, int differencesMax) {
        return new Reconciliation(here, there, flagsMax, differencesMax)
                .compare(EnvironmentId.DEFAULT, FROM, TO)
                .await()
                .atMost(PATIENCE);
    }

    private static Map<String, Map<String, List<Long>>> counted(int flags) {
        Map<String, Map<String, List<Long>>> counted = new TreeMap<>();
        for (int i = 0; i < flags; i++) {
            counted.put(
                    String.format("flag %04d", i), Map.of("on", List.of((long) i, i + 1L), "default", List.of(0L, 0L)));
        }
        return counted;
    }

    private Counter answering(int status, String body) {
        return client(server(exchange -> answer(exchange, status, body)), Duration.ofSeconds(20));
    }

    /** A counter with both faces, which wants its key and gives its flags by pages. */
    private Counter served(Map<String, Map<String, List<Long>>> counted) {
        return served("UTC", counted);
    }

    private Counter served(String zone, Map<String, Map<String, List<Long>>> counted) {
        HttpServer server = server(exchange -> {
            Map<String, String> query = List.of(
                            exchange.getRequestURI().getRawQuery().split("&", -1))
                    .stream()
                    .map(each -> each.split("=", 2))
                    .collect(Collectors.toMap(each -> each[0], each -> URLDecoder.decode(each[1], UTF_8)));
            if (!"secret".equals(exchange.getRequestHeaders().getFirst("authorization"))) {
                answer(exchange, 401, "{}");
            } else if (exchange.getRequestURI().getPath().equals("/base/v1/flags")) {
                answer(exchange, 200, flags(zone, counted, query));
            } else {
                answer(exchange, 200, series(counted, query));
            }
        });
        return client(server, Duration.ofSeconds(30));
    }

    private static String flags(String zone, Map<String, Map<String, List<Long>>> counted, Map<String, String> query) {
        int limit = Integer.parseInt(String.valueOf(query.get("limit")));
        List<String> page = counted.keySet().stream()
                .filter(id -> id.compareTo(String.valueOf(query.get("pageToken"))) > 0)
                .limit(limit)
                .toList();
        String next = page.size() < limit ? "" : page.get(page.size() - 1);
        return "{\"zone\":\"" + zone + "\",\"flags\":["
                + page.stream().map(id -> "{\"featureId\":\"" + id + "\"}").collect(Collectors.joining(","))
                + "],\"matching\":" + counted.size() + ",\"nextPageToken\":\"" + next + "\"}";
    }

    private static String series(Map<String, Map<String, List<Long>>> counted, Map<String, String> query) {
        Map<String, List<Long>> variations =
                counted.getOrDefault(query.get("featureId"), Map.of("default", List.of(0L, 0L)));
        return "{\"buckets\":[{\"unix\":" + FIRST.getEpochSecond() + "},{\"unix\":" + SECOND.getEpochSecond()
                + "}],\"variations\":["
                + variations.entrySet().stream()
                        .map(each -> "{\"variationId\":\"" + each.getKey() + "\",\"events\":" + each.getValue() + "}")
                        .collect(Collectors.joining(","))
                + "]}";
    }

    private interface Answer {
        void to(HttpExchange exchange) throws IOException;
    }

    private HttpServer server(Answer answer) {
        try {
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.createContext("/", answer::to);
            server.start();
            servers.add(server);
            return server;
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private OtherCounter client(HttpServer server, Duration timeout) {
        URI url = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/base/");
        OtherCounter client = new OtherCounter(vertx, url, "secret", timeout);
        clients.add(client);
        return client;
    }

    private static void answer(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(UTF_8);
        exchange.getResponseHeaders().add("location", "http://127.0.0.1:1/");
        exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(bytes);
        }
    }
}
