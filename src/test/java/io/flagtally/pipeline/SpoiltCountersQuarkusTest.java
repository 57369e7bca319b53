package io.flagtally.pipeline;

import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.anEmptyMap;
import static org.hamcrest.Matchers.equalTo;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.flagtally.testing.EmbeddedStoresResource;
import io.quarkus.redis.datasource.RedisDataSource;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.path.json.JsonPath;
import jakarta.inject.Inject;
import java.time.Instant;
import java.time.InstantSource;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/**
 * Counters that somebody spoilt lose nothing: their events are answered, wait as dead letters, and after the repair are
 * sent back and counted once each.
 */
@QuarkusTest
@QuarkusTestResource(EmbeddedStoresResource.class)
class SpoiltCountersQuarkusTest {

    private static final String KEY = "test-other";
    private static final int EVENTS = 5;

    @Inject
    RedisDataSource redis;

    @Inject
    InstantSource clock;

    private final String run = UUID.randomUUID().toString();
    private final String sound = "sound-" + run;
    private final String mistyped = "mistyped-" + run;
    private final String overflowing = "overflowing-" + run;

    @Test
    void spoiltCounters_repairedAndSentBack_countEachEventOnce() {
        Instant time = clock.instant();
        redis.execute("LPUSH", dayKey(mistyped, time), "planted");
        redis.execute("SET", dayKey(overflowing, time), "9223372036854775800");
        String body = body(time);

        register(body);
        register(body);

        assertEquals(EVENTS, counted(sound));
        List<Map<String, String>> letters = letters();
        assertEquals(2 * EVENTS, letters.size());
        assertTold(letters, dayKey(mistyped, time));
        assertTold(letters, dayKey(overflowing, time));

        redis.execute("DEL", dayKey(mistyped, time), dayKey(overflowing, time));
        assertEquals(2 * EVENTS, redrive(letters));
        register(body);

        assertEquals(EVENTS, counted(sound));
        assertEquals(EVENTS, counted(mistyped));
        assertEquals(EVENTS, counted(overflowing));
        assertEquals(List.of(), letters());
    }

    private static void assertTold(List<Map<String, String>> letters, String key) {
        long told = letters.stream()
                .filter(letter -> "COUNTER_UNUSABLE".equalsIgnoreCase(letter.get("code"))
                        && String.valueOf(letter.get("detail")).contains(key))
                .count();
        assertEquals(EVENTS, told, letters::toString);
    }

    private static String dayKey(String flag, Instant time) {
        return "other:ec:" + time.truncatedTo(ChronoUnit.DAYS).getEpochSecond() + ":" + flag + ":v";
    }

    private static void register(String body) {
        given().header("authorization", KEY)
                .contentType("application/json")
                .body(body)
                .post("/register_events")
                .then()
                .statusCode(200)
                .body("errors", anEmptyMap());
    }

    private String body(Instant time) {
        List<String> events = new ArrayList<>();
        for (String flag : List.of(sound, mistyped, overflowing)) {
            for (int i = 0; i < EVENTS; i++) {
                events.add("{\"id\":\"" + UUID.randomUUID() + "\",\"event\":{\"@type\":"
                        + "\"type.googleapis.com/bucketeer.event.client.EvaluationEvent\",\"timestamp\":"
                        + time.getEpochSecond() + ",\"featureId\":\"" + flag + "\",\"variationId\":\"v\","
                        + "\"userId\":\"user-" + i + "\",\"reason\":{\"type\":\"RULE\"}}}");
            }
        }
        return "{\"events\":[" + String.join(",", events) + "]}";
    }

    private static int counted(String flag) {
        return given().header("authorization", KEY)
                .queryParam("featureId", flag)
                .queryParam("from", LocalDate.now(ZoneOffset.UTC).minusDays(1).toString())
                .get("/v1/evaluation_series")
                .then()
                .statusCode(200)
                .extract()
                .jsonPath()
                .getInt("variations.find { it.variationId == 'v' }.total.events");
    }

    /** The letters of this run. */
    private List<Map<String, String>> letters() {
        JsonPath page = given().header("authorization", KEY)
                .queryParam("limit", 500)
                .get("/v1/dead_letters")
                .then()
                .statusCode(200)
                .body("next", equalTo(null))
                .extract()
                .jsonPath();
        return page.<Map<String, String>>getList("deadLetters").stream()
                .filter(letter -> String.valueOf(letter.get("payload")).contains(run))
                .toList();
    }

    private static int redrive(List<Map<String, String>> letters) {
        String ids = letters.stream()
                .map(letter -> "\"" + letter.get("id") + "\"")
                .toList()
                .toString();
        return given().header("authorization", KEY)
                .contentType("application/json")
                .body("{\"environmentId\": \"other\", \"ids\": " + ids + "}")
                .post("/v1/dead_letters/redrive")
                .then()
                .statusCode(200)
                .extract()
                .jsonPath()
                .getInt("sent");
    }
}
