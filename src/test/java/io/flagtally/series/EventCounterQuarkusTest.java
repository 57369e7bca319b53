package io.flagtally.series;

import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.everyItem;
import static org.hamcrest.Matchers.hasItem;
import static org.hamcrest.Matchers.hasItems;
import static org.hamcrest.Matchers.hasSize;
import static org.hamcrest.Matchers.instanceOf;
import static org.hamcrest.Matchers.not;

import io.flagtally.testing.EmbeddedStoresResource;
import io.flagtally.testing.PlantedCounts;
import io.quarkus.redis.datasource.RedisDataSource;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.ValidatableResponse;
import jakarta.inject.Inject;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

@QuarkusTest
@QuarkusTestResource(EmbeddedStoresResource.class)
class EventCounterQuarkusTest {

    private static final String CONSOLE = "/v1/evaluation_timeseries_count";
    private static final String PUBLIC = "/v1/event_counter/evaluation_timeseries_count";

    @Inject
    RedisDataSource redis;

    @Test
    void count_allRanges_haveTheirStepsAndEndNow() {
        Instant now = Instant.now();
        for (Map.Entry<String, Integer> range : Map.of(
                        "TWENTY_FOUR_HOURS", 24, "SEVEN_DAYS", 7, "FOURTEEN_DAYS", 14, "THIRTY_DAYS", 30)
                .entrySet()) {
            ChronoUnit unit = range.getValue() == 24 ? ChronoUnit.HOURS : ChronoUnit.DAYS;
            String last = Long.toString(now.truncatedTo(unit).getEpochSecond());

            read(CONSOLE, "test-read", Map.of("featureId", "never-seen", "timeRange", range.getKey()))
                    .statusCode(200)
                    .body("userCounts", hasSize(1))
                    .body("userCounts[0].variationId", equalTo("default"))
                    .body("userCounts[0].timeseries.timestamps", hasSize(range.getValue()))
                    .body("userCounts[0].timeseries.timestamps[-1]", equalTo(last))
                    .body("userCounts[0].timeseries.values", everyItem(equalTo(0)))
                    .body("userCounts[0].timeseries.unit", equalTo(unit == ChronoUnit.HOURS ? "HOUR" : "DAY"))
                    .body("userCounts[0].timeseries.totalCounts", equalTo("0"))
                    .body("eventCounts[0].timeseries.values", hasSize(range.getValue()));
        }
    }

    @Test
    void count_plantedDays_sumsEventsAndUnitesUsers() {
        Instant today = Instant.now().truncatedTo(ChronoUnit.DAYS);
        Instant yesterday = today.minus(1, ChronoUnit.DAYS);
        PlantedCounts planted = new PlantedCounts(redis);
        planted.day("counter-flag", "default", today, 1, List.of("u9"));
        planted.day("counter-flag", "zz", yesterday, 5, List.of("u1", "u2"));
        planted.day("counter-flag", "zz", today, 4, List.of("u2", "u3", "u4"));
        planted.day("counter-flag", "aa", today, 7, List.of("u1"));

        for (String face : List.of(CONSOLE, PUBLIC)) {
            for (String feature : List.of("featureId", "feature_id")) {
                String timeRange = feature.equals("featureId") ? "timeRange" : "time_range";
                read(face, "test-read", Map.of(feature, "counter-flag", timeRange, "SEVEN_DAYS"))
                        .statusCode(200)
                        .contentType(equalTo("application/json;charset=UTF-8"))
                        .body("eventCounts.variationId", equalTo(List.of("aa", "zz", "default")))
                        .body("userCounts.variationId", equalTo(List.of("aa", "zz", "default")))
                        .body("eventCounts[1].timeseries.values", equalTo(List.of(0, 0, 0, 0, 0, 5, 4)))
                        .body("eventCounts[1].timeseries.totalCounts", equalTo("9"))
                        .body("userCounts[1].timeseries.values", equalTo(List.of(0, 0, 0, 0, 0, 2, 3)))
                        .body("userCounts[1].timeseries.totalCounts", equalTo("4"))
                        .body("userCounts[1].timeseries.timestamps", everyItem(instanceOf(String.class)));
            }
        }
    }

    @Test
    void count_keysThatMayNotRead_areRefusedBeforeParametersAreJudged() {
        refused("", 401, 16, "eventcounter:unauthenticated");
        refused("no-such-key", 401, 16, "eventcounter:unauthenticated");
        refused("test-disabled", 401, 16, "eventcounter:unauthenticated");
        refused("test-client", 403, 7, "eventcounter:permission denied");
        refused("test-server", 403, 7, "eventcounter:permission denied");
    }

    @Test
    void count_environments_belongToTheirKeys() {
        Map<String, String> query = Map.of("featureId", "f", "timeRange", "SEVEN_DAYS", "environmentId", "other");

        read(CONSOLE, "test-read", query).statusCode(403).body("code", equalTo(7));
        read(CONSOLE, "test-other", query).statusCode(200);
        read(CONSOLE, "test-any", query).statusCode(200);
        read(CONSOLE, "Bearer test-admin", Map.of("featureId", "f", "timeRange", "SEVEN_DAYS"))
                .statusCode(200);
    }

    @Test
    void count_wrongParameters_areNamedInTheWordsOfTheContract() {
        read(CONSOLE, "test-read", Map.of("timeRange", "SEVEN_DAYS"))
                .statusCode(400)
                .body("code", equalTo(3))
                .body(
                        "message",
                        equalTo("eventcounter:feature id is required[FeatureFlagID:InvalidArgumentEmptyError]"))
                .body("details[0].'@type'", equalTo("type.googleapis.com/google.rpc.ErrorInfo"))
                .body("details[0].reason", equalTo("INVALID_ARGUMENT_EMPTY"))
                .body("details[0].domain", equalTo("eventcounter.bucketeer.io"))
                .body("details[0].metadata.messageKey", equalTo("InvalidArgumentEmptyError"))
                .body("details[0].metadata.field", equalTo("FeatureFlagID"));
        for (String range : List.of("", "UNKNOWN", "seven_days", "1")) {
            read(CONSOLE, "test-read", Map.of("featureId", "f", "timeRange", range))
                    .statusCode(400)
                    .body("code", equalTo(3))
                    .body("details[0].metadata.field", equalTo("TimeRange"));
        }
        for (String flag : List.of("a\u0000b", "x".repeat(256))) {
            read(CONSOLE, "test-read", Map.of("featureId", flag, "timeRange", "SEVEN_DAYS"))
                    .statusCode(400)
                    .body("details[0].reason", equalTo("INVALID_ARGUMENT_NOT_MATCH_FORMAT"));
        }
    }

    @Test
    void openApi_ofTheFaces_namesParametersAndTheKey() {
        given().get("/openapi?format=json")
                .then()
                .statusCode(200)
                .body("components.securitySchemes.apiKey.name", equalTo("authorization"))
                .body("components.securitySchemes.apiKey.in", equalTo("header"))
                .body("paths.'" + CONSOLE + "'.get.security[0]", equalTo(Map.of("apiKey", List.of())))
                .body("paths.'" + CONSOLE + "'.get.parameters.name", hasItem("timeRange"))
                .body("paths.'" + CONSOLE + "'.get.parameters.name", not(hasItem("authorization")))
                .body(
                        "paths.'" + PUBLIC + "'.get.responses.keySet()",
                        hasItems("200", "400", "401", "403", "429", "503"));
        given().get("/swagger-ui/").then().statusCode(200).body(containsString("openapi"));
    }

    private static void refused(String key, int status, int code, String message) {
        read(CONSOLE, key, Map.of())
                .statusCode(status)
                .body("code", equalTo(code))
                .body("message", equalTo(message))
                .body("details[0].domain", equalTo("eventcounter.bucketeer.io"));
    }

    private static ValidatableResponse read(String face, String key, Map<String, String> query) {
        var request = given().queryParams(query);
        return (key.isEmpty() ? request : request.header("authorization", key))
                .get(face)
                .then();
    }
}
