package io.flagtally.pipeline;

import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.flagtally.codec.BucketeerCodec;
import io.flagtally.codec.EventHeaders;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.SourceId;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.job.Job;
import io.flagtally.testing.EmbeddedStoresResource;
import io.quarkus.arc.All;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.path.json.JsonPath;
import jakarta.inject.Inject;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Dead letters are listed by page, and go back the way events go: once, and not past the window unless told to. */
@QuarkusTest
@QuarkusTestResource(EmbeddedStoresResource.class)
class DeadLettersQuarkusTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @Inject
    DeadLetters deadLetters;

    @Inject
    @All
    List<Job> jobs;

    private final String environment = "letters-" + UUID.randomUUID();
    private final String flag = "flag-" + UUID.randomUUID();

    @Test
    void list_byPagesAndCode_showsEachLetterOnce() {
        for (int i = 0; i < 5; i++) {
            put("broken " + i, ErrorCode.SINK_REJECTED, Instant.now());
        }
        put("other", ErrorCode.COUNTER_UNUSABLE, Instant.now());

        List<String> seen = new ArrayList<>();
        String after = "";
        do {
            JsonPath page = list(Map.of("limit", 2, "code", "sink_rejected", "after", after));
            seen.addAll(page.getList("deadLetters.payload"));
            after = page.getString("next");
        } while (after != null);

        assertEquals(
                List.of("broken 0", "broken 1", "broken 2", "broken 3", "broken 4"),
                seen.stream().sorted().toList());
        assertEquals(6, list(Map.of()).getList("deadLetters").size());
    }

    @Test
    void list_aLargePayload_isCutAndSaysHowLargeItIs() {
        put("x".repeat(20_000), ErrorCode.SINK_REJECTED, Instant.now());

        JsonPath letter = list(Map.of());

        assertEquals(20_000, letter.getInt("deadLetters[0].payloadBytes"));
        assertEquals(16 * 1024, letter.getString("deadLetters[0].payload").length());
    }

    @Test
    void list_badArgumentsOrLowRole_areRefused() {
        for (Map.Entry<String, String> each :
                Map.of("limit", "501", "code", "no_such", "after", "x").entrySet()) {
            given().header("authorization", "test-any")
                    .queryParam(each.getKey(), each.getValue())
                    .get("/v1/dead_letters")
                    .then()
                    .statusCode(400)
                    .body("detail", containsString("'" + each.getKey() + "'"));
        }
        given().get("/v1/dead_letters").then().statusCode(401);
        given().contentType("application/json")
                .body("{}")
                .post("/v1/dead_letters/redrive")
                .then()
                .statusCode(401);
    }

    @Test
    void redrive_anEventThatIsWellNow_isCountedOnceHoweverOftenItIsSent() {
        String event = event();
        put(event, ErrorCode.SINK_REJECTED, Instant.now());

        assertEquals(1, redrive("{'environmentId': '%s'}").getInt("sent"));
        assertEquals(0, redrive("{'environmentId': '%s'}").getInt("sent"));
        put(event, ErrorCode.SINK_REJECTED, Instant.now());
        assertEquals(1, redrive("{'environmentId': '%s'}").getInt("sent"));

        assertEquals(0, list(Map.of()).getList("deadLetters").size());
        given().header("authorization", "test-any")
                .queryParam("environmentId", environment)
                .queryParam("featureId", flag)
                .queryParam("from", LocalDate.now(ZoneOffset.UTC).minusDays(1).toString())
                .get("/v1/evaluation_series")
                .then()
                .statusCode(200)
                .body("variations[0].total.events", equalTo(1));
    }

    @Test
    void redrive_anEventThatIsStillWrong_staysADeadLetter() {
        put("{not json", ErrorCode.MALFORMED, Instant.now());

        JsonPath answer = redrive("{'environmentId': '%s'}");

        assertEquals(0, answer.getInt("sent"));
        assertEquals("CAME_BACK", answer.getString("kept[0].outcome"));
        assertEquals(2, list(Map.of()).getInt("deadLetters[0].puts"));
    }

    @Test
    void redrive_pastTheWindow_isSentOnlyByForce() {
        put(event(), ErrorCode.SINK_REJECTED, Instant.now().minus(Duration.ofDays(2)));
        String id = list(Map.of()).getString("deadLetters[0].id");

        JsonPath kept = redrive("{'environmentId': '%s', 'ids': ['" + id + "']}");
        assertEquals("WINDOW_PASSED", kept.getString("kept[0].outcome"));
        assertEquals(1, list(Map.of()).getList("deadLetters").size());

        JsonPath sent = redrive("{'environmentId': '%s', 'ids': ['" + id + "'], 'force': true}");
        assertEquals(1, sent.getInt("sent"));
        JsonPath again = redrive("{'environmentId': '%s', 'ids': ['" + id + "'], 'force': true}");
        assertEquals("NOT_FOUND", again.getString("kept[0].outcome"));
    }

    @Test
    void redrive_ofAnotherEnvironment_findsNothing() {
        put(event(), ErrorCode.SINK_REJECTED, Instant.now());
        String id = list(Map.of()).getString("deadLetters[0].id");

        given().header("authorization", "test-any")
                .contentType("application/json")
                .body("{\"environmentId\": \"elsewhere\", \"ids\": [\"" + id + "\"]}")
                .post("/v1/dead_letters/redrive")
                .then()
                .statusCode(200)
                .body("sent", equalTo(0))
                .body("kept[0].outcome", equalTo("NOT_FOUND"));
    }

    @Test
    void job_lettersPastTheirRetention_areDroppedAndNoOthers() {
        String old = "old " + environment;
        put(old, ErrorCode.SINK_REJECTED, Instant.now().minus(Duration.ofDays(31)));
        put("young", ErrorCode.SINK_REJECTED, Instant.now().minus(Duration.ofDays(29)));

        String done = jobs.stream()
                .filter(job -> job.name().equals("dead-letters"))
                .findFirst()
                .orElseThrow()
                .run()
                .await()
                .atMost(PATIENCE);

        assertNotEquals("0", done.split(" ", 2)[0]);
        assertEquals(List.of("young"), list(Map.of()).getList("deadLetters.payload"));
        assertFalse(done.isEmpty());
    }

    private void put(String payload, ErrorCode code, Instant at) {
        EventHeaders headers = new EventHeaders(
                new EnvironmentId(environment), SourceId.WEB, BucketeerCodec.CONTENT_TYPE, 1, at, Optional.empty());
        deadLetters
                .put(List.of(new DeadLetter(
                        headers, "", code, "of this test", payload.getBytes(StandardCharsets.UTF_8), at)))
                .await()
                .atMost(PATIENCE);
    }

    private JsonPath list(Map<String, ?> parameters) {
        return given().header("authorization", "test-any")
                .queryParam("environmentId", environment)
                .queryParams(parameters)
                .get("/v1/dead_letters")
                .then()
                .statusCode(200)
                .extract()
                .jsonPath();
    }

    private JsonPath redrive(String body) {
        return given().header("authorization", "test-any")
                .contentType("application/json")
                .body(body.replace('\'', '"').replace("%s", environment))
                .post("/v1/dead_letters/redrive")
                .then()
                .statusCode(200)
                .extract()
                .jsonPath();
    }

    private String event() {
        return "{\"id\":\"" + UUID.randomUUID() + "\",\"event\":{\"@type\":"
                + "\"type.googleapis.com/bucketeer.event.client.EvaluationEvent\",\"timestamp\":"
                + Instant.now().getEpochSecond() + ",\"featureId\":\"" + flag + "\",\"variationId\":\"v\","
                + "\"userId\":\"anna\",\"reason\":{\"type\":\"RULE\"},\"sourceId\":\"WEB\"}}";
    }
}
