package io.flagtally.replay;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReplayTest {

    private static final String CSV = """
            Invoice,Code,When,Customer,Country,Price
            1,A,2010-12-01 08:00:00,17850.0,"Kingdom, United",2.5
            2,B,2010-12-11 08:00:00,,France,
            3,A,2010-12-21 08:00:00,13047.0,France,1e2
            """;

    @TempDir
    Path folder;

    private final List<byte[]> bodies = new CopyOnWriteArrayList<>();
    private final List<Answer> answers = new ArrayList<>();
    private HttpServer server;

    private record Answer(int status, String retryAfter, String body) {}

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/register_events", this::answer);
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void forEach_plainLines_becomeEvaluations() throws IOException {
        List<ReplayEvent> events = events(options());

        assertEquals(3, events.size());
        ReplayEvent first = events.get(0);
        assertEquals(2, first.line());
        assertEquals("17850.0", first.user());
        assertEquals("A", first.subject());
        assertEquals("Kingdom, United", first.variation());
        assertEquals(Instant.parse("2010-12-01T08:00:00Z"), first.time());
        assertEquals("", events.get(1).user());
    }

    @Test
    void write_importFile_holdsTheEventsOfAReplay() throws IOException {
        Path plain = folder.resolve("events.ndjson");
        Path packed = folder.resolve("events.ndjson.gz");

        assertEquals(3, ImportFile.write(options(), plain));
        assertEquals(3, ImportFile.write(options(), packed));

        List<String> lines = Files.readAllLines(plain);
        String body = new String(RequestBody.of(events(options()), options().source()), UTF_8);
        assertEquals(3, lines.size());
        assertTrue(body.startsWith("{\"events\":[" + String.join(",", lines) + "]"), body);
        try (InputStream in = new GZIPInputStream(Files.newInputStream(packed))) {
            assertArrayEquals(Files.readAllBytes(plain), in.readAllBytes());
        }
    }

    @Test
    void parse_write_namesTheImportFile() {
        Path file = folder.resolve("data.csv");

        assertEquals(
                Optional.of(Path.of("out.ndjson")),
                CommandLine.parse(arguments(file, "--write", "out.ndjson"), Instant.EPOCH)
                        .importFile());
        assertEquals(
                Optional.empty(),
                CommandLine.parse(arguments(file), Instant.EPOCH).importFile());
    }

    @Test
    void forEach_gzipFile_givesTheSame() throws IOException {
        Path packed = folder.resolve("data.csv.gz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(packed))) {
            out.write(CSV.getBytes(UTF_8));
        }

        List<ReplayEvent> events =
                events(CommandLine.parse(arguments(packed), Instant.EPOCH).options());

        assertEquals(
                List.of("A", "B", "A"),
                events.stream().map(ReplayEvent::subject).toList());
    }

    @Test
    void forEach_goalColumn_addsGoalsWhereItHasAValue() throws IOException {
        List<ReplayEvent> events = events(options("--goal", "Price", "--value", "Price"));

        List<ReplayEvent> goals = events.stream().filter(ReplayEvent::goal).toList();
        assertEquals(5, events.size());
        assertEquals(List.of(2.5, 100.0), goals.stream().map(ReplayEvent::value).toList());
        assertNotEquals(events.get(0).id(), goals.get(0).id());
    }

    @Test
    void forEach_constantColumn_isTheValueOfEveryLine() throws IOException {
        List<ReplayEvent> events = events(options("--variation", "=on"));

        assertTrue(events.stream().allMatch(event -> event.variation().equals("on")));
    }

    @Test
    void forEach_compress_mapsTheWholeSpan() throws IOException {
        List<ReplayEvent> events =
                events(options("--move", "compress", "--until", "2026-11-21T00:00:00Z", "--span", "PT240H"));

        assertEquals(
                List.of(
                        Instant.parse("2026-11-11T00:00:00Z"),
                        Instant.parse("2026-11-16T00:00:00Z"),
                        Instant.parse("2026-11-21T00:00:00Z")),
                events.stream().map(ReplayEvent::time).toList());
    }

    @Test
    void forEach_shift_movesTheLastToTheInstant() throws IOException {
        List<ReplayEvent> events = events(options("--move", "shift", "--until", "2026-11-21T00:00:00Z"));

        assertEquals(Instant.parse("2026-11-01T00:00:00Z"), events.get(0).time());
        assertEquals(Instant.parse("2026-11-21T00:00:00Z"), events.get(2).time());
    }

    @Test
    void forEach_zone_readsLocalTimes() throws IOException {
        List<ReplayEvent> events = events(options("--zone", "Asia/Tokyo"));

        assertEquals(Instant.parse("2010-11-30T23:00:00Z"), events.get(0).time());
    }

    @Test
    void id_sameFileNameAndLine_isTheSameVersion4() throws IOException {
        List<ReplayEvent> once = events(options());
        List<ReplayEvent> again = events(options());

        assertEquals(once, again);
        assertEquals(3, once.stream().map(ReplayEvent::id).distinct().count());
        assertTrue(once.stream()
                .allMatch(event -> event.id().version() == 4 && event.id().variant() == 2));
    }

    @Test
    void run_refusedEvents_areCountedByReason() throws Exception {
        String refusedId = events(options()).get(1).id().toString();
        answers.add(new Answer(
                200,
                "",
                "{\"errors\":{\"" + refusedId
                        + "\":{\"retriable\":false,\"message\":\"gateway: user_id is empty\"}}}"));
        List<ReplayEvent> acknowledged = new CopyOnWriteArrayList<>();

        ReplayReport report = new Replay(options(), new Replay.Listener() {
                    @Override
                    public void acknowledged(List<ReplayEvent> events) {
                        acknowledged.addAll(events);
                    }
                })
                .run();

        assertEquals(2, report.accepted());
        assertEquals(Map.of("gateway: user_id is empty", 1L), report.refused());
        assertEquals(
                List.of(2L, 4L), acknowledged.stream().map(ReplayEvent::line).toList());
        assertTrue(report.text().contains("1  gateway: user_id is empty"), report.text());
    }

    @Test
    void run_fullAndAwayThenFine_sendsTheSameBytesWhenRetryAfterIsOver() throws Exception {
        answers.add(new Answer(429, "1", "{}"));
        answers.add(new Answer(503, "1", "{}"));
        answers.add(new Answer(200, "", "{\"errors\":{}}"));
        long started = System.nanoTime();

        ReplayReport report = new Replay(options(), new Replay.Listener() {}).run();

        assertEquals(3, report.accepted());
        assertEquals(3, bodies.size());
        assertArrayEquals(bodies.get(0), bodies.get(1));
        assertArrayEquals(bodies.get(0), bodies.get(2));
        assertEquals(1, report.attempts(429));
        assertEquals(1, report.attempts(503));
        assertTrue(Duration.ofNanos(System.nanoTime() - started).toMillis() >= 2000, "Retry-After was not honoured");
    }

    @Test
    void run_nobodyListens_triesAgainUntilItGivesUp() throws Exception {
        server.stop(0);

        ReplayReport report = new Replay(options("--give-up-after", "PT1S"), new Replay.Listener() {}).run();

        assertEquals(3, report.unansweredTotal());
        assertTrue(report.attempts(0) > 1, report.text());
    }

    @Test
    void run_badKey_stopsAtOnce() throws Exception {
        answers.add(new Answer(403, "", "{\"code\":7}"));

        ReplayReport report = new Replay(options("--batch", "1", "--concurrency", "1"), new Replay.Listener() {}).run();

        assertEquals(1, bodies.size());
        assertEquals(1, report.unansweredTotal());
    }

    @Test
    void run_chosenRate_keepsTheIntendedTimes() throws Exception {
        long started = System.nanoTime();

        ReplayReport report = new Replay(options("--batch", "1", "--rate", "4"), new Replay.Listener() {}).run();

        assertEquals(3, report.accepted());
        assertTrue(Duration.ofNanos(System.nanoTime() - started).toMillis() >= 490, "faster than the chosen rate");
    }

    @Test
    void parse_unknownOption_saysSo() {
        var failure = assertThrows(IllegalArgumentException.class, () -> options("--rat", "4"));

        assertEquals("unknown option --rat", failure.getMessage());
    }

    @Test
    void forEach_columnThatIsNotThere_saysSo() {
        var failure = assertThrows(IllegalArgumentException.class, () -> events(options("--flag", "Kode")));

        assertTrue(String.valueOf(failure.getMessage()).startsWith("no column 'Kode' among [Invoice, Code"));
    }

    private ReplayOptions options(String... more) throws IOException {
        Path file = folder.resolve("data.csv");
        Files.writeString(file, CSV);
        return CommandLine.parse(arguments(file, more), Instant.parse("2026-11-21T00:00:00Z"))
                .options();
    }

    private String[] arguments(Path file, String... more) {
        List<String> arguments = new ArrayList<>(List.of("--file", file.toString()));
        arguments.addAll(
                List.of("--url", "http://127.0.0.1:" + server.getAddress().getPort()));
        arguments.addAll(List.of("--user", "Customer", "--flag", "Code", "--variation", "Country"));
        arguments.addAll(List.of("--timestamp", "When"));
        arguments.addAll(List.of(more));
        return arguments.toArray(String[]::new);
    }

    private static List<ReplayEvent> events(ReplayOptions options) throws IOException {
        CsvEvents csv = new CsvEvents(options);
        List<ReplayEvent> events = new ArrayList<>();
        csv.forEach(csv.extent(), events::add);
        return events;
    }

    private void answer(HttpExchange exchange) throws IOException {
        bodies.add(exchange.getRequestBody().readAllBytes());
        Answer answer = answers.isEmpty() ? new Answer(200, "", "{\"errors\":{}}") : answers.remove(0);
        if (!answer.retryAfter().isEmpty()) {
            exchange.getResponseHeaders().add("Retry-After", answer.retryAfter());
        }
        byte[] body = answer.body().getBytes(UTF_8);
        exchange.sendResponseHeaders(answer.status(), body.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(body);
        }
    }
}
