package io.flagtally.pipeline;

import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.equalTo;
import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.testing.EmbeddedStoresResource;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.path.json.JsonPath;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

@QuarkusTest
@QuarkusTestResource(EmbeddedStoresResource.class)
class ImportQuarkusTest {

    private static final Instant OLD = Instant.parse("2009-05-17T12:00:00Z");

    private final String environment = "import-" + UUID.randomUUID();

    @Test
    void import_sameFileTwice_countsOnce() {
        String file = IntStream.range(0, 12_000)
                .mapToObj(i -> event("u" + i % 300, OLD.plusSeconds(i * 60L)))
                .collect(Collectors.joining("\n"));

        JsonPath first = last(send("test-any", file));
        JsonPath again = last(send("test-any", file));

        assertAll(
                () -> assertTrue(first.getBoolean("done")),
                () -> assertEquals(12_000, first.getLong("counted")),
                () -> assertEquals(12_000, again.getLong("duplicates")),
                () -> assertEquals(0, again.getLong("counted")),
                () -> assertEquals("300 12000", month("200905")));
    }

    @Test
    void import_linesAtFault_areNamedAndTheOthersCount() {
        String file = String.join(
                "\n",
                event("anna", OLD),
                "{not json",
                "",
                event("", OLD),
                event("ben", Instant.now().plusSeconds(7_200)),
                event("x".repeat(300_000), OLD),
                event("carl", OLD));

        List<String> lines = send("test-any", file);

        JsonPath end = last(lines);
        assertAll(
                () -> assertEquals(2, end.getLong("counted")),
                () -> assertEquals(4, end.getLong("refused")),
                () -> assertEquals(7, end.getLong("lines")),
                () -> assertEquals("2", field(lines.get(0), "line")),
                () -> assertEquals("MALFORMED", field(lines.get(0), "code")),
                () -> assertEquals("EVENT_FIELD_EMPTY", field(lines.get(1), "code")),
                () -> assertEquals("EVENT_TIME_INVALID", field(lines.get(2), "code")),
                () -> assertEquals("6", field(lines.get(3), "line")),
                () -> assertEquals("TOO_LARGE", field(lines.get(3), "code")));
    }

    @Test
    void import_recentEvent_isCountedByItsFlagToo() {
        String flag = "flag-" + UUID.randomUUID();
        String file = event("anna", Instant.now()).replace("old-flag", flag);

        var first = send("test-any", file);
        var again = send("test-any", file);

        given().header("authorization", "test-any")
                .queryParams(Map.of(
                        "featureId",
                        flag,
                        "environmentId",
                        environment,
                        "from",
                        LocalDate.now(ZoneOffset.UTC).minusDays(1).toString()))
                .get("/v1/evaluation_series")
                .then()
                .statusCode(200)
                .body("variations[0].total.events", equalTo(1));
    }

    @Test
    void import_bodyThatIsNoGzip_saysSoInItsLastLine() {
        String answer = given().header("authorization", "test-any")
                .header("content-encoding", "gzip")
                .contentType(ImportResource.NDJSON)
                .body(event("anna", OLD).getBytes(StandardCharsets.UTF_8))
                .post("/v1/import?environmentId=" + environment)
                .then()
                .statusCode(200)
                .extract()
                .asString();

        JsonPath end = last(answer.lines().toList());
        assertAll(
                () -> assertEquals(false, end.getBoolean("done")),
                () -> assertTrue(end.getString("failure").startsWith("the body is no gzip"), answer));
    }

    @Test
    void import_withoutAdmin_isRefused() {
        given().header("authorization", "test-read")
                .body("")
                .post("/v1/import")
                .then()
                .statusCode(403)
                .body("code", equalTo("PERMISSION_DENIED"));
        given().header("authorization", "test-admin")
                .body("")
                .post("/v1/import?environmentId=other")
                .then()
                .statusCode(403);
    }

    @Test
    void import_sameLineManyTimes_saysHowFarItIs() {
        String file = (event("anna", OLD) + "\n").repeat(30_000);

        List<String> lines = send("test-any", file);

        assertEquals("20000", field(lines.get(0), "lines"));
        assertEquals(1, last(lines).getLong("counted"));
        assertEquals(29_999, last(lines).getLong("duplicates"));
    }

    private List<String> send(String key, String file) {
        return given().header("authorization", key)
                .contentType(ImportResource.NDJSON)
                .body(file.getBytes(StandardCharsets.UTF_8))
                .post("/v1/import?environmentId=" + environment)
                .then()
                .statusCode(200)
                .extract()
                .asString()
                .lines()
                .toList();
    }

    private static JsonPath last(List<String> lines) {
        return JsonPath.from(lines.get(lines.size() - 1));
    }

    private static String field(String line, String name) {
        return JsonPath.from(line).getString(name);
    }

    private String month(String month) {
        JsonPath count = given().header("authorization", "test-any")
                .queryParams(Map.of("yearMonth", month, "environmentId", environment))
                .get("/v1/mau_count")
                .then()
                .extract()
                .jsonPath();
        return count.getString("userCount") + " " + count.getString("eventCount");
    }

    private static String event(String user, Instant time) {
        return "{\"id\":\"" + UUID.randomUUID() + "\",\"event\":{\"@type\":"
                + "\"type.googleapis.com/bucketeer.event.client.EvaluationEvent\",\"timestamp\":"
                + time.getEpochSecond() + ",\"featureId\":\"old-flag\",\"variationId\":\"v\",\"userId\":\"" + user
                + "\",\"reason\":{\"type\":\"RULE\"},\"sourceId\":\"WEB\"}}";
    }
}
