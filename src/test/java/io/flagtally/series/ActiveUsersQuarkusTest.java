package io.flagtally.series;

import static io.restassured.RestAssured.given;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasSize;
import static org.hamcrest.Matchers.nullValue;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.testing.EmbeddedStoresResource;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.ValidatableResponse;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Instant;
import java.time.LocalDate;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.eclipse.microprofile.config.ConfigProvider;
import org.junit.jupiter.api.Test;

/** From the door of SDKs to the faces of active users. */
@QuarkusTest
@QuarkusTestResource(EmbeddedStoresResource.class)
class ActiveUsersQuarkusTest {

    private static final LocalDate TODAY = LocalDate.now(ZoneOffset.UTC);
    private static final String MONTH = YearMonth.from(TODAY).toString().replace("-", "");

    private final String user = "user-" + UUID.randomUUID();

    @Test
    void mauCount_userOfTwoSources_addsOneUserAndTwoEvents() {
        long users = number("/v1/mau_count", "userCount");
        long events = number("/v1/event_counter/mau_count", "eventCount");

        String sent = event("ANDROID") + "," + event("IOS");
        send(sent);
        send(sent);

        assertEquals(users + 1, number("/v1/event_counter/mau_count", "userCount"));
        assertEquals(events + 2, number("/v1/mau_count", "eventCount"));
    }

    @Test
    void mauCount_otherEnvironmentAndBadMonth_areRefused() {
        get("/v1/mau_count", "test-read", Map.of("yearMonth", MONTH, "environmentId", "other"))
                .statusCode(403)
                .body("code", equalTo(7));
        for (String month : List.of("", "2026", "202613", "2026-11")) {
            get("/v1/mau_count", "test-read", Map.of("yearMonth", month))
                    .statusCode(400)
                    .body("code", equalTo(3))
                    .body("details[0].domain", equalTo("eventcounter.bucketeer.io"));
        }
        get("/v1/mau_count", "test-client", Map.of("yearMonth", "")).statusCode(403);
        given().get("/v1/mau_count").then().statusCode(401).body("code", equalTo(16));
    }

    @Test
    void mauCount_monthWithoutEvents_isZero() {
        get("/v1/mau_count", "test-read", Map.of("yearMonth", "199912"))
                .statusCode(200)
                .body("eventCount", equalTo("0"))
                .body("userCount", equalTo("0"));
    }

    @Test
    void monthlySummary_seenSources_haveTheirSeries() {
        send(event("FLUTTER"));

        given().header("authorization", "test-any")
                .queryParam("environmentIds", "default", "nowhere")
                .queryParam("sourceIds", "FLUTTER")
                .get("/v1/insights/monthly_summary")
                .then()
                .statusCode(200)
                .body("series.environmentId", equalTo(List.of("default", "nowhere")))
                .body("series.sourceId", equalTo(List.of("FLUTTER", "FLUTTER")))
                .body("series[0].data[-1].yearmonth", equalTo(MONTH))
                .body("series[1].data", hasSize(0))
                .body("series[0].environmentName", equalTo("default"))
                .body("series[0].projectName", equalTo(""));
        get("/v1/insights/monthly_summary", "test-read", Map.of("sourceIds", "TOASTER"))
                .statusCode(400);
        get("/v1/insights/monthly_summary", "test-read", Map.of("environmentIds", "other"))
                .statusCode(403);
    }

    @Test
    void activeUsers_eachGranularity_countsTheUserOnce() {
        for (String granularity : List.of("DAY", "WEEK", "MONTH", "ROLLING_28", "ROLLING_30")) {
            Map<String, String> query = Map.of("from", TODAY.toString(), "granularity", granularity);
            int before = get("/v1/active_users", "test-read", query).extract().path("steps[-1].users");

            String other = user + granularity;
            send(event("REACT", other) + "," + event("WEB", other));

            get("/v1/active_users", "test-read", query)
                    .statusCode(200)
                    .body("steps", hasSize(1))
                    .body("zone", equalTo("UTC"))
                    .body("steps[0].users", equalTo(before + 1))
                    .body("steps[0].open", granularity.equals("MONTH") ? equalTo(true) : nullValue())
                    .body(
                            "steps[0].sources.find { it.sourceId == 'REACT' }.users",
                            org.hamcrest.Matchers.greaterThan(0));
        }
    }

    @Test
    void activeUsers_asCsv_hasALineASource() {
        send(event("REACT"));

        String csv = given().header("authorization", "test-read")
                .accept("text/csv")
                .queryParam("from", MONTH.substring(0, 4) + "-" + MONTH.substring(4))
                .get("/v1/active_users")
                .then()
                .statusCode(200)
                .contentType(containsString("text/csv"))
                .extract()
                .asString();

        List<String> lines = csv.lines().toList();
        assertEquals("from,to,sourceId,users,events,open,revisedAt", lines.get(0));
        assertEquals(1, lines.stream().filter(line -> line.contains(",REACT,")).count());
        assertEquals(1, lines.stream().filter(line -> line.contains(",ALL,")).count());
    }

    @Test
    void eraseUser_withActiveRows_isNoLongerCounted() {
        send(event("ANDROID", user + "/left &%") + "," + event("IOS", user + "/left &%"));
        long before = number("/v1/mau_count", "userCount");

        given().header("authorization", "test-read")
                .delete("/v1/users/{user}", user + "/left &%")
                .then()
                .statusCode(403);
        given().header("authorization", "test-admin")
                .delete("/v1/users/{user}", user + "/left &%")
                .then()
                .statusCode(200)
                .body("environmentId", equalTo("default"))
                .body("removed.find { it.what == 'rows of active users' }.count", equalTo(2))
                .body("remaining.join(' ')", containsString("Redis"));

        assertEquals(before - 1, number("/v1/mau_count", "userCount"));
        given().header("authorization", "test-admin")
                .delete("/v1/users/{user}", "x".repeat(256))
                .then()
                .statusCode(400);
    }

    @Test
    void activeUsers_badRange_isAProblem() {
        get("/v1/active_users", "test-read", Map.of("from", "never"))
                .statusCode(400)
                .contentType("application/problem+json")
                .body("code", equalTo("INVALID_ARGUMENT"));
        get("/v1/active_users", "test-read", Map.of("from", "2026-11", "sourceId", "TOASTER"))
                .statusCode(400);
    }

    /** A table that is locked stands for users that take long to pass over. */
    @Test
    void activeUsers_manySlowPasses_areRefusedAndLeaveConnectionsToSums() throws Exception {
        String url = "jdbc:" + ConfigProvider.getConfig().getValue("flagtally.postgres.url", String.class);
        List<CompletableFuture<Integer>> passes = new ArrayList<>();
        ExecutorService readers = Executors.newFixedThreadPool(12);
        try (Connection connection = DriverManager.getConnection(url, "postgres", "postgres")) {
            connection.setAutoCommit(false);
            boolean unused = connection.createStatement().execute("lock table mau_user in access exclusive mode");
            for (int day = 0; day < 12; day++) {
                String from = TODAY.minusDays(day).toString();
                passes.add(CompletableFuture.supplyAsync(
                        () -> get(
                                        "/v1/active_users",
                                        "test-read",
                                        Map.of("from", from, "to", from, "granularity", "ROLLING_28"))
                                .extract()
                                .statusCode(),
                        readers));
            }
            await().until(() ->
                    passes.stream().filter(CompletableFuture::isDone).count() >= 8);

            assertTrue(number("/v1/mau_count", "userCount") >= 0);
            connection.rollback();
        } finally {
            readers.shutdown();
        }
        List<Integer> answers =
                passes.stream().map(CompletableFuture::join).sorted().toList();
        assertEquals(8, answers.stream().filter(status -> status == 429).count(), answers::toString);
        assertEquals(4, answers.stream().filter(status -> status == 200).count(), answers::toString);
    }

    private static ValidatableResponse get(String path, String key, Map<String, String> query) {
        return given().header("authorization", key).queryParams(query).get(path).then();
    }

    private static long number(String path, String field) {
        return Long.parseLong(get(path, "test-read", Map.of("yearMonth", MONTH))
                .statusCode(200)
                .extract()
                .path(field));
    }

    private String event(String source) {
        return event(source, user);
    }

    private static String event(String source, String user) {
        return "{\"id\":\"" + UUID.randomUUID() + "\",\"event\":{\"@type\":"
                + "\"type.googleapis.com/bucketeer.event.client.EvaluationEvent\",\"timestamp\":"
                + Instant.now().getEpochSecond() + ",\"featureId\":\"mau-flag\",\"variationId\":\"v\",\"userId\":\""
                + user + "\",\"reason\":{\"type\":\"RULE\"},\"sourceId\":\"" + source + "\"}}";
    }

    private static void send(String events) {
        given().header("authorization", "test-client")
                .contentType("application/json")
                .body("{\"events\":[" + events + "]}")
                .post("/register_events")
                .then()
                .statusCode(200)
                .body("errors", equalTo(Map.of()));
    }
}
