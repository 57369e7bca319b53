package io.flagtally.series;

import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasItem;
import static org.hamcrest.Matchers.hasSize;
import static org.hamcrest.Matchers.notNullValue;

import io.flagtally.platform.Availability;
import io.flagtally.testing.EmbeddedStoresResource;
import io.flagtally.testing.PlantedCounts;
import io.quarkus.redis.datasource.RedisDataSource;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.ValidatableResponse;
import jakarta.inject.Inject;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import org.eclipse.microprofile.config.ConfigProvider;
import org.junit.jupiter.api.Test;

@QuarkusTest
@QuarkusTestResource(EmbeddedStoresResource.class)
class OwnFacesQuarkusTest {

    private static final String SERIES = "/v1/evaluation_series";

    private static final String RECONCILE = "/v1/reconcile";

    @Inject
    RedisDataSource redis;

    @Inject
    Availability availability;

    @Test
    void series_plantedDays_tellsEstimatesWithTheirErrors() {
        Instant today = Instant.now().truncatedTo(ChronoUnit.DAYS);
        LocalDate date = LocalDate.ofInstant(today, ZoneOffset.UTC);
        PlantedCounts planted = new PlantedCounts(redis);
        planted.day("series-flag", "on", today.minus(1, ChronoUnit.DAYS), 5, List.of("u1", "u2"));
        planted.day("series-flag", "on", today, 4, List.of("u2", "u3"));

        read(
                        SERIES,
                        "test-read",
                        Map.of(
                                "featureId",
                                "series-flag",
                                "from",
                                date.minusDays(1).toString()))
                .statusCode(200)
                .body("environmentId", equalTo("default"))
                .body("zone", equalTo("UTC"))
                .body("granularity", equalTo("DAY"))
                .body("from", equalTo(date.minusDays(1).toString()))
                .body("to", equalTo(date.toString()))
                .body(
                        "buckets.start",
                        equalTo(List.of(today.minus(1, ChronoUnit.DAYS).toString(), today.toString())))
                .body("buckets[1].unix.toString()", equalTo(Long.toString(today.getEpochSecond())))
                .body("variations.variationId", equalTo(List.of("on", "default")))
                .body("variations[0].events", equalTo(List.of(5, 4)))
                .body("variations[0].uniques.count", equalTo(List.of(2, 2)))
                .body("variations[0].uniques[0].standardError", equalTo(0.017f))
                .body("variations[0].total.events", equalTo(9))
                .body("variations[0].total.uniques.count", equalTo(3));
    }

    @Test
    void series_wrongParameters_areProblemsThatSayWhatIsAllowed() {
        problem(SERIES, "test-read", Map.of("from", "2026-11-01"), 400, "INVALID_ARGUMENT", "'featureId' is missing");
        problem(SERIES, "test-read", Map.of("featureId", "f"), 400, "INVALID_ARGUMENT", "'from' is not a date");
        problem(
                SERIES,
                "test-read",
                Map.of("featureId", "f", "from", "2001-01-01"),
                400,
                "INVALID_ARGUMENT",
                "at the earliest");
    }

    @Test
    void ownFaces_keysThatMayNotRead_areProblems() {
        for (String face : List.of(SERIES, "/v1/environments", "/v1/flags")) {
            problem(face, "", Map.of(), 401, "UNAUTHENTICATED", "authorization");
            problem(face, "nobody", Map.of(), 403, "PERMISSION_DENIED", "unknown");
            problem(face, "test-disabled", Map.of(), 403, "PERMISSION_DENIED", "disabled");
            problem(face, "test-client", Map.of(), 403, "PERMISSION_DENIED", "READ_ONLY or ADMIN");
        }
        problem("/v1/flags", "test-read", Map.of("environmentId", "other"), 403, "PERMISSION_DENIED", "environment");
        problem("/v1/flags", "test-any", Map.of("environmentId", "a\u0001"), 400, "INVALID_ARGUMENT", "control");
        problem("/v1/nothing-here", "test-read", Map.of(), 404, "NOT_FOUND", "/openapi");
    }

    @Test
    void flags_seen_areFoundPagedAndCounted() {
        Instant today = Instant.now().truncatedTo(ChronoUnit.DAYS);
        PlantedCounts planted = new PlantedCounts(redis);
        planted.day("Catalog-a", "on", today, 3, List.of("u1", "u2"));
        planted.day("Catalog-a", "default", today, 1, List.of("u2"));
        planted.day("catalog-b", "on", today.minus(2, ChronoUnit.DAYS), 8, List.of("u1"));

        read("/v1/flags", "test-read", Map.of("q", "CATALOG-", "limit", "1"))
                .statusCode(200)
                .body("flags.featureId", equalTo(List.of("Catalog-a")))
                .body("flags[0].variationIds", equalTo(List.of("on", "default")))
                .body("flags[0].lastEventAt", equalTo(today.plusSeconds(1).toString()))
                .body("flags[0].today.events", equalTo(4))
                .body("flags[0].today.uniques.count", equalTo(2))
                .body("matching", equalTo(2))
                .body("nextPageToken", equalTo("Catalog-a"));
        read("/v1/flags", "test-read", Map.of("q", "catalog-", "pageToken", "Catalog-a"))
                .statusCode(200)
                .body("flags.featureId", equalTo(List.of("catalog-b")))
                .body("flags[0].today.events", equalTo(0))
                .body("flags[0].today.uniques.count", equalTo(0))
                .body("nextPageToken", equalTo(""));
        problem("/v1/flags", "test-read", Map.of("limit", "501"), 400, "INVALID_ARGUMENT", "from 1 to 500");
        problem("/v1/flags", "test-read", Map.of("limit", "-1"), 400, "INVALID_ARGUMENT", "from 1 to 500");
    }

    @Test
    void environments_seen_areThoseOfTheKey() {
        Instant today = Instant.now().truncatedTo(ChronoUnit.DAYS);
        new PlantedCounts(redis).day("environments-flag", "on", today, 3, List.of("u1", "u2"));

        read("/v1/environments", "test-read", Map.of())
                .statusCode(200)
                .body("environments", hasSize(1))
                .body("environments[0].environmentId", equalTo("default"))
                .body("environments[0].lastEventAt", notNullValue())
                .body("environments[0].today.events", notNullValue())
                .body("environments[0].today.uniques.count", notNullValue());
        read("/v1/environments", "test-any", Map.of())
                .statusCode(200)
                .body("environments.environmentId", hasItem("default"));
    }

    @Test
    void reconcile_aCounterThatSawNothing_differsEverywhere() {
        Instant today = Instant.now().truncatedTo(ChronoUnit.DAYS);
        new PlantedCounts(redis).day("reconcile-flag", "on", today, 7, List.of("u1"));
        String date = LocalDate.ofInstant(today, ZoneOffset.UTC).toString();
        String against = ConfigProvider.getConfig().getValue("flagtally.reconcile.targets.test.url", String.class);

        read(RECONCILE, "test-admin", Map.of("from", date, "against", against))
                .statusCode(200)
                .body("against", equalTo(against))
                .body("differences.find { it.featureId == 'reconcile-flag' }.variationId", equalTo("on"))
                .body("differences.find { it.featureId == 'reconcile-flag' }.day", equalTo(today.toString()))
                .body("differences.find { it.featureId == 'reconcile-flag' }.here", equalTo(7))
                .body("differences.find { it.featureId == 'reconcile-flag' }.there", equalTo(0));
        problem(
                RECONCILE,
                "test-admin",
                Map.of("from", date, "against", against + "/v1"),
                400,
                "INVALID_ARGUMENT",
                "flagtally.reconcile.targets");
        problem(RECONCILE, "test-admin", Map.of("from", date), 400, "INVALID_ARGUMENT", "flagtally.reconcile.targets");
        problem(RECONCILE, "test-read", Map.of("from", date, "against", against), 403, "PERMISSION_DENIED", "ADMIN");
    }

    @Test
    void reads_whileSomethingIsMissing_answer503WithItsSentence() {
        availability.lost(Availability.Work.SERVE, "a-test", "The test took it away.");
        try {
            problem(
                    SERIES,
                    "test-read",
                    Map.of(
                            "featureId",
                            "f",
                            "from",
                            LocalDate.now(ZoneOffset.UTC).toString()),
                    503,
                    "UNAVAILABLE",
                    "The test took it away.");
            read("/v1/evaluation_timeseries_count", "test-read", Map.of("featureId", "f", "timeRange", "SEVEN_DAYS"))
                    .statusCode(503)
                    .header("Retry-After", "1")
                    .body("code", equalTo(14))
                    .body("details[0].reason", equalTo("UNAVAILABLE"));
        } finally {
            availability.regained(Availability.Work.SERVE, "a-test");
        }
    }

    private static void problem(
            String face, String key, Map<String, String> query, int status, String code, String says) {
        ValidatableResponse answer = read(face, key, query)
                .statusCode(status)
                .contentType(containsString("application/problem+json"))
                .body("code", equalTo(code))
                .body("status", equalTo(status))
                .body("title", notNullValue())
                .body("type", equalTo("about:blank"))
                .body("detail", containsString(says));
        if (status == 503) {
            answer.header("Retry-After", "1");
        }
    }

    private static ValidatableResponse read(String face, String key, Map<String, String> query) {
        var request = given().queryParams(query);
        return (key.isEmpty() ? request : request.header("authorization", key))
                .get(face)
                .then();
    }
}
