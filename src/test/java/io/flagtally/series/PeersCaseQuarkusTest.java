package io.flagtally.series;

import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasSize;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.testing.EmbeddedStoresResource;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.RestAssured;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Events in through the door of the SDKs, numbers out through the event counter. */
@QuarkusTest
@QuarkusTestResource(EmbeddedStoresResource.class)
class PeersCaseQuarkusTest {

    private static final int READERS = 50;
    private static final int READS_EACH = 10;
    private static final int EVENTS_A_REQUEST = 20;

    @Test
    void thirtyDays_eventsOfThreeVariations_areCountedInOrder() {
        String flag = "peers-case-" + UUID.randomUUID();
        register(Stream.concat(
                        Stream.of("u0", "u1", "u2", "u0").map(user -> event(flag, "variation-0", user, "TARGET")),
                        Stream.concat(
                                Stream.of("u3", "u4", "u3").map(user -> event(flag, "variation-1", user, "RULE")),
                                Stream.of(
                                        event(flag, "", "u5", "CLIENT"),
                                        event(flag, "variation-0", "u6", "ERROR_EXCEPTION"),
                                        event(flag, "variation-1", "u7", "CLIENT"))))
                .toList());

        given().header("authorization", "test-read")
                .queryParam("featureId", flag)
                .queryParam("timeRange", "THIRTY_DAYS")
                .get("/v1/evaluation_timeseries_count")
                .then()
                .statusCode(200)
                .body("userCounts.variationId", equalTo(List.of("variation-0", "variation-1", "default")))
                .body("eventCounts.variationId", equalTo(List.of("variation-0", "variation-1", "default")))
                .body("userCounts[0].timeseries.timestamps", hasSize(30))
                .body("userCounts.collect { it.timeseries.values[-1] }", equalTo(List.of(3, 2, 3)))
                .body("eventCounts.collect { it.timeseries.values[-1] }", equalTo(List.of(4, 3, 3)));
    }

    @Test
    void fiftyReaders_whileEventsArrive_seeCountsBetweenBeforeAndAfter() throws Exception {
        String flag = "fifty-readers-" + UUID.randomUUID();
        AtomicLong sent = new AtomicLong();
        AtomicLong acknowledged = new AtomicLong();
        ExecutorService threads = Executors.newFixedThreadPool(READERS + 1);
        try (AutoCloseable end = threads::shutdownNow) {
            Future<?> writer = threads.submit(() -> write(flag, sent, acknowledged));
            List<Callable<Void>> readers = new ArrayList<>();
            for (int i = 0; i < READERS; i++) {
                readers.add(() -> readOften(flag, sent, acknowledged));
            }
            for (Future<Void> reader : threads.invokeAll(readers)) {
                reader.get();
            }
            boolean unused = writer.cancel(true);
            assertTrue(acknowledged.get() > 0, "no event arrived while the readers read");
        }
    }

    private Void readOften(String flag, AtomicLong sent, AtomicLong acknowledged) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        HttpRequest request = HttpRequest.newBuilder(
                        service("/v1/evaluation_timeseries_count?timeRange=SEVEN_DAYS&featureId=" + flag))
                .header("authorization", "test-read")
                .build();
        for (int i = 0; i < READS_EACH; i++) {
            long before = acknowledged.get();
            HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
            long after = sent.get();

            assertEquals(200, answer.statusCode(), answer.body());
            long counted = new JsonObject(answer.body())
                    .getJsonArray("eventCounts").stream()
                            .map(JsonObject.class::cast)
                            .mapToLong(variation -> Long.parseLong(
                                    variation.getJsonObject("timeseries").getString("totalCounts")))
                            .sum();
            assertTrue(before <= counted && counted <= after, before + " <= " + counted + " <= " + after);
        }
        return null;
    }

    private Void write(String flag, AtomicLong sent, AtomicLong acknowledged) throws IOException, InterruptedException {
        HttpClient client = HttpClient.newHttpClient();
        while (true) {
            String body = body(IntStream.range(0, EVENTS_A_REQUEST)
                    .mapToObj(i -> event(flag, "v" + i % 3, "u" + i, "RULE"))
                    .toList());
            sent.addAndGet(EVENTS_A_REQUEST);
            HttpResponse<String> answer = client.send(
                    HttpRequest.newBuilder(service("/register_events"))
                            .header("authorization", "test-client")
                            .header("content-type", "application/json")
                            .POST(HttpRequest.BodyPublishers.ofString(body))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() == 200) {
                acknowledged.addAndGet(EVENTS_A_REQUEST);
            }
        }
    }

    private static URI service(String path) {
        return URI.create(RestAssured.baseURI + ":" + RestAssured.port + path);
    }

    private static void register(List<String> events) {
        given().header("authorization", "test-client")
                .contentType("application/json")
                .body(body(events))
                .post("/register_events")
                .then()
                .statusCode(200)
                .body("errors.size()", equalTo(0));
    }

    private static String body(List<String> events) {
        return events.stream()
                .collect(Collectors.joining(",", "{\"events\":[", "],\"sdkVersion\":\"1\",\"sourceId\":7}"));
    }

    private static String event(String flag, String variation, String user, String reason) {
        return "{\"id\":\"" + UUID.randomUUID() + "\",\"event\":{\"@type\":"
                + "\"type.googleapis.com/bucketeer.event.client.EvaluationEvent\",\"timestamp\":"
                + Instant.now().getEpochSecond() + ",\"featureId\":\"" + flag + "\",\"featureVersion\":1,"
                + "\"variationId\":\"" + variation + "\",\"userId\":\"" + user + "\",\"reason\":{\"type\":\"" + reason
                + "\"},\"sourceId\":\"JAVASCRIPT\"}}";
    }
}
