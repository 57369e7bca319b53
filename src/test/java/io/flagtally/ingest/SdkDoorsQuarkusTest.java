package io.flagtally.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.testing.EmbeddedStoresResource;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.time.InstantSource;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The smaller doors that SDKs and pages use. */
@QuarkusTest
@QuarkusTestResource(EmbeddedStoresResource.class)
class SdkDoorsQuarkusTest {

    @Inject
    InstantSource clock;

    @Inject
    MeterRegistry meters;

    private DoorClient door;

    @BeforeEach
    void connect() {
        door = DoorClient.ofThisTest();
    }

    @Test
    void ping_withoutKey_tellsTheTime() {
        HttpResponse<String> answer = door.get("/ping");

        assertEquals(200, answer.statusCode());
        long time = Long.parseLong(answer.body().replaceAll("\\D", ""));
        assertTrue(Math.abs(time - now()) < 60, answer.body());
        assertEquals("{\"time\":\"" + time + "\"}", answer.body());
    }

    @Test
    void track_withAndWithoutTimestamp_isTaken() {
        String pixel = "/track?apikey=test-client&userid=u%201&goalid=g&tag=web&value=12.5";

        assertEquals("{}", door.get(pixel).body());
        assertEquals("{}", door.get(pixel + "&timestamp=" + now()).body());
        assertEquals("{}", door.get(pixel + "&timestamp=" + now()).body());
    }

    @ParameterizedTest
    @CsvSource({
        "userid=u&goalid=g, 401, gateway: missing APIKey",
        "apikey=nobody, 403, gateway: invalid APIKey",
        "apikey=test-server&userid=u&goalid=g, 403, gateway: bad role",
        "apikey=test-client&userid=u, 400, gateway: goal_id is empty",
        "apikey=test-client&goalid=g, 400, gateway: user_id is empty",
        "apikey=test-client&goalid=%00&userid=u, 400, gateway: goal_id is invalid",
        "apikey=test-client&goalid=g&userid=u&value=NaN, 400, gateway: value is invalid",
        "apikey=test-client&goalid=g&userid=u&value=x, 400, gateway: value is invalid",
        "apikey=test-client&goalid=g&userid=u&timestamp=0, 400, gateway: invalid event timestamp",
        "apikey=test-client&goalid=g&userid=u&timestamp=x, 400, gateway: invalid event timestamp",
        "apikey=test-client&goalid=g&userid=u&timestamp=9223372036854775807, 400, gateway: invalid event timestamp"
    })
    void track_wrongParameters_areRefused(String parameters, int status, String message) {
        HttpResponse<String> answer = door.get("/track?" + parameters);

        assertEquals(status, answer.statusCode());
        assertTrue(answer.body().contains("\"message\":\"" + message + "\""), answer.body());
    }

    @ParameterizedTest
    @ValueSource(strings = {"/get_evaluations", "/get_evaluation"})
    void evaluations_withoutUpstream_areValidAndEmpty(String path) {
        HttpResponse<String> answer =
                door.send(door.post(path, BodyPublishers.ofString("{}")).header("authorization", "test-client"));

        assertEquals(200, answer.statusCode());
        assertEquals(
                "empty", answer.headers().firstValue("flagtally-evaluations").orElse(""));
        assertTrue(
                answer.body()
                        .matches("\\{\"state\":\"FULL\",\"evaluations\":\\{\"id\":\"\",\"evaluations\":\\[],"
                                + "\"createdAt\":\"\\d+\",\"forceUpdate\":true,\"archivedFeatureIds\":\\[]},"
                                + "\"userEvaluationsId\":\"[^\"]*\"}"),
                answer.body());
    }

    @Test
    void evaluations_withoutKey_areRefused() {
        HttpResponse<String> answer = door.send(door.post("/get_evaluations", BodyPublishers.ofString("{}")));

        assertEquals(401, answer.statusCode());
        assertEquals("{\"code\":16,\"message\":\"gateway: missing APIKey\",\"details\":[]}", answer.body());
    }

    @ParameterizedTest
    @ValueSource(strings = {"/register_events", "/track", "/ping", "/get_evaluations", "/get_evaluation"})
    void preflight_allowedOrigin_isAnsweredWithoutAKey(String path) {
        HttpResponse<String> answer = door.send(door.request(path)
                .method("OPTIONS", BodyPublishers.noBody())
                .header("origin", EmbeddedStoresResource.ALLOWED_ORIGIN)
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "authorization,content-type"));

        assertEquals(204, answer.statusCode());
        assertEquals(
                EmbeddedStoresResource.ALLOWED_ORIGIN,
                answer.headers().firstValue("access-control-allow-origin").orElse(""));
        assertEquals(
                "authorization, content-type",
                answer.headers().firstValue("access-control-allow-headers").orElse(""));
    }

    @Test
    void register_fromAPage_errorsCanBeReadToo() {
        HttpResponse<String> answer = door.send(door.post("/register_events", BodyPublishers.ofString("{"))
                .header("origin", EmbeddedStoresResource.ALLOWED_ORIGIN));

        assertEquals(401, answer.statusCode());
        assertEquals(
                EmbeddedStoresResource.ALLOWED_ORIGIN,
                answer.headers().firstValue("access-control-allow-origin").orElse(""));
    }

    @Test
    void register_metricsEvent_becomesAMetricAndNoEvent() {
        double before = errors("GET_EVALUATIONS", "TimeoutErrorMetricsEvent");
        String inner = "\"event\":{\"apiId\":2,\"labels\":{\"tag\":\"secret\"},\"@type\":"
                + "\"type.googleapis.com/bucketeer.event.client.TimeoutErrorMetricsEvent\"}";

        HttpResponse<String> answer = door.register("test-client", metrics(inner));

        assertEquals("{\"errors\":{}}", answer.body());
        assertEquals(before + 1, errors("GET_EVALUATIONS", "TimeoutErrorMetricsEvent"));
    }

    @Test
    void register_metricsEventOfUnknownType_isCountedAsOther() {
        double before = errors("other", "other");
        String inner = "\"event\":{\"apiId\":\"NEW_API\",\"@type\":" + "\"type.googleapis.com/bucketeer.event.client."
                + UUID.randomUUID() + "\"}";

        assertEquals(
                "{\"errors\":{}}", door.register("test-client", metrics(inner)).body());

        assertEquals(before + 1, errors("other", "other"));
    }

    private double errors(String api, String type) {
        return meters.counter("flagtally.ingest.sdk.errors", "apiId", api, "sourceId", "JAVASCRIPT", "type", type)
                .count();
    }

    private String metrics(String inner) {
        return DoorClient.events("{\"id\":\"" + UUID.randomUUID() + "\",\"event\":{\"timestamp\":" + now() + "," + inner
                        + ",\"@type\":\"type.googleapis.com/bucketeer.event.client.MetricsEvent\"}}")
                .replace("]}", "],\"sourceId\":7}");
    }

    private long now() {
        return clock.instant().getEpochSecond();
    }
}
