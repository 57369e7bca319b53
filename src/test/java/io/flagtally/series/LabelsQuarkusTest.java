package io.flagtally.series;

import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.nullValue;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagId;
import io.flagtally.testing.EmbeddedStoresResource;
import io.flagtally.testing.PlantedCounts;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.redis.datasource.RedisDataSource;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.ValidatableResponse;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.eclipse.microprofile.config.ConfigProvider;
import org.junit.jupiter.api.Test;

/** Names of things, from the request to the lists that show them. */
@QuarkusTest
@QuarkusTestResource(EmbeddedStoresResource.class)
class LabelsQuarkusTest {

    private static final String LABELS = "/v1/labels";

    @Inject
    RedisDataSource redis;

    @Inject
    LabelNames names;

    @Inject
    MeterRegistry meters;

    @Test
    void put_namedFlag_isShownWhereverItIsListed() {
        new PlantedCounts(redis)
                .day("named-flag", "on", Instant.now().truncatedTo(ChronoUnit.DAYS), 3, List.of("u1", "u2"));
        String names = labels(
                flag("named-flag", "\"Named: ü\""),
                "{\"kind\":\"VARIATION\",\"featureId\":\"named-flag\",\"id\":\"on\",\"name\":\"An\"}");

        put("test-admin", "", names).statusCode(204);
        put("test-admin", "", names).statusCode(204);

        get("/v1/flags", "test-read", Map.of("q", "named-flag"))
                .statusCode(200)
                .body("flags[0].featureId", equalTo("named-flag"))
                .body("flags[0].name", equalTo("Named: ü"))
                .body("flags[0].variationNames", equalTo(Map.of("on", "An")));
        get(
                        "/v1/evaluation_series",
                        "test-read",
                        Map.of(
                                "featureId",
                                "named-flag",
                                "from",
                                Instant.now().toString().substring(0, 10)))
                .body("name", equalTo("Named: ü"))
                .body("variations.find { it.variationId == 'on' }.name", equalTo("An"))
                .body("variations.find { it.variationId == 'default' }.name", nullValue());

        put("test-admin", "", labels(flag("named-flag", "null"))).statusCode(204);
        put("test-admin", "", labels(flag("named-flag", "null"))).statusCode(204);

        get("/v1/flags", "test-read", Map.of("q", "named-flag")).body("flags[0].name", nullValue());
    }

    @Test
    void flags_partOfAName_isFoundLikeOneOfAnId() {
        Instant today = Instant.now().truncatedTo(ChronoUnit.DAYS);
        new PlantedCounts(redis).day("f-4711", "on", today, 3, List.of("u1"));
        new PlantedCounts(redis).day("f-4712", "on", today, 3, List.of("u1"));
        new PlantedCounts(redis).day("aerger", "on", today, 3, List.of("u1"));
        put(
                        "test-admin",
                        "",
                        labels(
                                flag("f-4711", "\"Großer ÄRGER 100%\""),
                                flag("never-seen", "\"Ärger ohne Ereignis\""),
                                "{\"kind\":\"VARIATION\",\"featureId\":\"f-4712\",\"id\":\"on\",\"name\":\"Ärger\"}"))
                .statusCode(204);

        for (String part : List.of("ärger", "großer ä", "100%", "F-4711")) {
            get("/v1/flags", "test-read", Map.of("q", part))
                    .statusCode(200)
                    .body("flags.featureId", equalTo(List.of("f-4711")));
        }
        get("/v1/flags", "test-read", Map.of("q", "rger"))
                .body("flags.featureId", equalTo(List.of("aerger", "f-4711")));
        get("/v1/flags", "test-read", Map.of("q", "rger", "limit", "1"))
                .body("flags.featureId", equalTo(List.of("aerger")))
                .body("nextPageToken", equalTo("aerger"));
        get("/v1/flags", "test-any", Map.of("q", "ärger", "environmentId", "other"))
                .body("flags.size()", equalTo(0));
    }

    /** A table that is locked stands for names that take long to read. */
    @Test
    void flags_manySearchesAtOnce_readTheNamesTwice() throws Exception {
        EnvironmentId environment = new EnvironmentId("searched");
        put("test-any", environment.value(), labels(flag("f", "\"Sought\""))).statusCode(204);
        long before = searches();
        List<CompletableFuture<Set<FlagId>>> found = new ArrayList<>();
        String url = "jdbc:" + ConfigProvider.getConfig().getValue("flagtally.postgres.url", String.class);
        try (Connection lock = DriverManager.getConnection(url, "postgres", "postgres")) {
            lock.setAutoCommit(false);
            boolean unused = lock.createStatement().execute("lock table label in access exclusive mode");
            for (int i = 0; i < 10; i++) {
                found.add(names.flagsNamed(environment, i % 2 == 0 ? "SOUGHT" : "other")
                        .subscribeAsCompletionStage());
            }
            lock.rollback();
        }

        for (int i = 0; i < found.size(); i++) {
            assertEquals(
                    i % 2 == 0 ? Set.of(new FlagId("f")) : Set.of(),
                    found.get(i).get(60, TimeUnit.SECONDS));
        }
        assertEquals(before + 2, searches());
    }

    private long searches() {
        return meters.timer("flagtally.series.reads", "kind", "flag_names", "outcome", "ok")
                .count();
    }

    @Test
    void put_namedEnvironment_isShownInTheMonthlySummary() {
        put("test-other", "", labels("{\"kind\":\"ENVIRONMENT\",\"name\":\"The other one\"}"))
                .statusCode(204);

        get("/v1/insights/monthly_summary", "test-other", Map.of("sourceIds", "WEB"))
                .statusCode(200)
                .body("series[0].environmentName", equalTo("The other one"));
    }

    @Test
    void get_manyLabels_comeByPagesInOneOrder() {
        List<String> ids = IntStream.range(0, 7).mapToObj(i -> "paged-" + i).toList();
        put(
                        "test-any",
                        "paged",
                        ids.stream()
                                .map(id -> flag(id, "\"x\""))
                                .collect(Collectors.joining(",", "{\"labels\":[", "]}")))
                .statusCode(204);
        put("test-any", "paged", labels("{\"kind\":\"GOAL\",\"id\":\"paged-goal\",\"name\":\"y\"}"))
                .statusCode(204);

        List<String> read = new ArrayList<>();
        String token = "";
        do {
            ValidatableResponse page = get(
                            LABELS, "test-any", Map.of("environmentId", "paged", "limit", "3", "pageToken", token))
                    .statusCode(200);
            read.addAll(page.extract().path("labels.id"));
            token = page.extract().path("nextPageToken");
        } while (!token.isEmpty());

        List<String> expected = new ArrayList<>(ids);
        expected.add("paged-goal");
        assertEquals(expected, read);
    }

    @Test
    void put_sameLabelsByManyAtOnce_allSucceed() throws Exception {
        List<Future<Integer>> answers = new ArrayList<>();
        ExecutorService threads = Executors.newFixedThreadPool(8);
        for (int i = 0; i < 24; i++) {
            String name = "\"by " + i + "\"";
            List<String> entries = new ArrayList<>(IntStream.range(0, 20)
                    .mapToObj(k -> flag("contended-" + k, name))
                    .toList());
            Collections.shuffle(entries, new Random(i));
            answers.add(threads.submit(() -> put("test-any", "contended", labels(entries.toArray(String[]::new)))
                    .extract()
                    .statusCode()));
        }
        for (Future<Integer> answer : answers) {
            assertEquals(204, answer.get());
        }
        threads.shutdown();

        List<String> names = get(LABELS, "test-any", Map.of("environmentId", "contended"))
                .extract()
                .path("labels.name");
        assertEquals(20, names.size());
        assertEquals(1, names.stream().distinct().count(), "a request is written whole: " + names);
    }

    @Test
    void put_wrongCallerOrBody_isAProblem() {
        put("test-read", "", labels(flag("f", "\"x\""))).statusCode(403);
        put("test-admin", "other", labels(flag("f", "\"x\"")))
                .statusCode(403)
                .body("code", equalTo("PERMISSION_DENIED"));
        put("test-admin", "", "{\"labels\":[{\"kind\":\"FLAG\"}]}")
                .statusCode(400)
                .contentType("application/problem+json")
                .body("code", equalTo("INVALID_ARGUMENT"))
                .body("detail", containsString("labels[0].id is missing"));
        put("test-admin", "", " ".repeat(LabelsRequest.BODY_BYTES_MAX + 1))
                .statusCode(413)
                .body("code", equalTo("TOO_LARGE"));
        get(LABELS, "test-client", Map.of()).statusCode(403);
        get(LABELS, "test-read", Map.of("pageToken", "nonsense")).statusCode(400);
    }

    private static String flag(String id, String name) {
        return "{\"kind\":\"FLAG\",\"id\":\"" + id + "\",\"name\":" + name + "}";
    }

    private static String labels(String... entries) {
        return "{\"labels\":[" + String.join(",", entries) + "]}";
    }

    private static ValidatableResponse put(String key, String environment, String body) {
        return given().header("authorization", key)
                .contentType("application/json")
                .queryParam("environmentId", environment)
                .body(body)
                .put(LABELS)
                .then();
    }

    private static ValidatableResponse get(String path, String key, Map<String, String> query) {
        return given().header("authorization", key).queryParams(query).get(path).then();
    }
}
