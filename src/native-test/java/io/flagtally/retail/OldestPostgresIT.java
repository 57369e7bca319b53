package io.flagtally.retail;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.flagtally.packaged.ServiceProcess;
import io.flagtally.platform.embedded.LoopbackPort;
import io.flagtally.replay.Replay;
import io.flagtally.replay.ReplayOptions.Pace;
import io.flagtally.testing.ActiveUsersTables;
import io.flagtally.testing.ActiveUsersTables.Sum;
import io.flagtally.testing.OldestPostgresForTests;
import io.flagtally.testing.RedisServerForTests;
import io.flagtally.testing.TestData;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The packaged service on PostgreSQL 14: a year of a real shop is imported, twice, the second time after the window; months
 * are dropped; events come through the SDKs' door.
 */
class OldestPostgresIT {

    /** Known of the real file, months from 2010-12. */
    private static final List<Long> KNOWN =
            List.of(948L, 783L, 798L, 1020L, 899L, 1079L, 1051L, 993L, 980L, 1302L, 1425L, 1711L, 686L);

    private static final long LINES_OF_THE_REPLAY = 10_000;
    private static final Duration PATIENCE = Duration.ofMinutes(5);
    private static final Pace PACE = new Pace(500, 0, 4, Duration.ofMinutes(1));
    private static final DateTimeFormatter MONTH = DateTimeFormatter.ofPattern("yyyyMM");
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpClient http = HttpClient.newHttpClient();
    private RetailFile file;
    private OldestPostgresForTests postgres;
    private RedisServerForTests redis;
    private ServiceProcess service;

    @BeforeEach
    void start() throws IOException {
        file = RetailFile.find();
        postgres = OldestPostgresForTests.start();
        redis = RedisServerForTests.start();
        service = FaultyRun.service(
                        TestData.newDirectory("oldest-postgres"),
                        LoopbackPort.free(),
                        "postgresql://" + LoopbackPort.HOST + ":" + postgres.port() + "/postgres")
                .with("-Dflagtally.redis.url=" + redis.url())
                .with("-Dflagtally.deduplication.window=1S")
                .with("-Dflagtally.security.api-keys.admin.key=admin")
                .with("-Dflagtally.security.api-keys.admin.roles=ADMIN")
                .ready();
    }

    @AfterEach
    void stop() {
        service.close();
        redis.close();
        postgres.close();
    }

    @Test
    void import_aYearTwice_givesItsMonths() throws Exception {
        Map<String, Set<String>> users = new TreeMap<>();
        long[] events = {0};
        Map<String, Long> eventsByMonth = new TreeMap<>();
        file.forEach(Long.MAX_VALUE, line -> {
            if (!line.user().isEmpty()) {
                events[0]++;
                eventsByMonth.merge(month(line), 1L, Long::sum);
                users.computeIfAbsent(month(line), month -> new HashSet<>()).add(line.user());
            }
        });
        Path packed = TestData.newDirectory("oldest-postgres-file").resolve("events.ndjson.gz");
        Replays.writeLines(file, packed);

        JsonNode first = imported(packed);
        assertEquals(events[0], first.path("counted").asLong(), first::toString);
        assertMonths(users);
        assertEquals("OK", post("/v1/batch/jobs/partitions").path("outcome").asText());

        JsonNode again = imported(packed);
        assertEquals(0, again.path("counted").asLong(), again::toString);
        assertEquals(events[0], again.path("duplicates").asLong(), again::toString);
        assertMonths(users);

        assertDroppedMonthStaysCounted(packed, users, eventsByMonth);
        assertReplayIsCounted();
    }

    private void assertMonths(Map<String, Set<String>> users) throws Exception {
        Map<String, Long> expected = new TreeMap<>();
        users.forEach((month, all) -> expected.put(month, (long) all.size()));
        Map<String, Long> actual = new TreeMap<>();
        for (String month : users.keySet()) {
            actual.put(
                    month,
                    get("/v1/mau_count?yearMonth=" + month).path("userCount").asLong());
        }
        assertEquals(expected, actual);
        if (file.isReal()) {
            assertEquals(KNOWN, List.copyOf(actual.values()));
        }
        ActiveUsersTables.at(postgres.port()).requireSummariesEqualRows();
    }

    /** As if nobody had written to it for months. */
    private void assertDroppedMonthStaysCounted(
            Path packed, Map<String, Set<String>> users, Map<String, Long> eventsByMonth) throws Exception {
        String month = users.keySet().iterator().next();
        try (Connection connection = ActiveUsersTables.at(postgres.port()).connect()) {
            int aged = connection
                    .createStatement()
                    .executeUpdate("update active_users_summary set updated_at = 0 where period = '" + month + "'");
            assertTrue(aged > 0);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }

        JsonNode run = post("/v1/batch/jobs/partitions");
        JsonNode again = imported(packed);

        assertAll(
                () -> assertTrue(run.path("detail").asText().contains("dropped 1 months"), run::toString),
                () -> assertEquals(
                        0,
                        ActiveUsersTables.at(postgres.port())
                                .number("select count(*) from pg_class where relname = 'mau_" + month + "'")),
                () -> assertEquals(0, again.path("counted").asLong(), again::toString),
                () -> assertEquals(
                        eventsByMonth.get(month),
                        again.at("/refusedByCode/MONTH_CLOSED").asLong(),
                        again::toString),
                () -> assertEquals(
                        users.get(month).size(),
                        get("/v1/mau_count?yearMonth=" + month)
                                .path("userCount")
                                .asLong()));
    }

    private void assertReplayIsCounted() throws Exception {
        Instant until = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        RetailCounts expected = RetailCounts.of(file, LINES_OF_THE_REPLAY, until, Replays.SPAN);

        long accepted = new Replay(
                        Replays.options(file.path(), service.uri(""), until, LINES_OF_THE_REPLAY, PACE),
                        new Replay.Listener() {})
                .run()
                .accepted();

        assertEquals(expected.events(), accepted);
        Replays.assertEventsEqual(expected, new EventCounter(service.uri("")));
        Map<String, Sum> summaries = ActiveUsersTables.at(postgres.port()).summaries();
        for (Map.Entry<LocalDate, Long> day : expected.eventsByDay().entrySet()) {
            String key = "default " + DateTimeFormatter.BASIC_ISO_DATE.format(day.getKey()) + " *";
            int users = expected.usersByDay().get(day.getKey()).size();
            assertEquals(new Sum(users, day.getValue()), summaries.get(key), key);
        }
    }

    private static String month(RetailFile.Line line) {
        return MONTH.format(Instant.ofEpochSecond(line.epochSecond()).atZone(ZoneOffset.UTC));
    }

    private JsonNode imported(Path packed) throws Exception {
        String answer = send(HttpRequest.newBuilder(service.uri("/v1/import"))
                .header("content-encoding", "gzip")
                .POST(HttpRequest.BodyPublishers.ofFile(packed)));
        String[] lines = answer.split("\n");
        JsonNode end = JSON.readTree(lines[lines.length - 1]);
        assertTrue(end.path("done").asBoolean(), end::toString);
        return end;
    }

    private JsonNode post(String path) throws Exception {
        return JSON.readTree(send(HttpRequest.newBuilder(service.uri(path)).POST(HttpRequest.BodyPublishers.noBody())));
    }

    private JsonNode get(String path) throws Exception {
        return JSON.readTree(send(HttpRequest.newBuilder(service.uri(path))));
    }

    private String send(HttpRequest.Builder request) throws Exception {
        HttpResponse<String> answer = http.send(
                request.header("authorization", "admin").timeout(PATIENCE).build(),
                HttpResponse.BodyHandlers.ofString());
        assertEquals(200, answer.statusCode(), answer::body);
        return answer.body();
    }
}
