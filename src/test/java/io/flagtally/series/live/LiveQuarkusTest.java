package io.flagtally.series.live;

import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.flagtally.platform.Availability;
import io.flagtally.platform.Availability.Work;
import io.flagtally.testing.EmbeddedStoresResource;
import io.flagtally.testing.LiveClient;
import io.flagtally.testing.LiveClient.Message;
import io.flagtally.testing.LiveEvents;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.redis.datasource.RedisDataSource;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.RestAssured;
import io.restassured.response.ValidatableResponse;
import jakarta.inject.Inject;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

@QuarkusTest
@QuarkusTestResource(EmbeddedStoresResource.class)
class LiveQuarkusTest {

    private static final String COUNTS = "/v1/live/evaluation_counts";
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final ObjectMapper JSON = new ObjectMapper();

    /** So many that some come between the reading of a request and the writing of its answer; nearly all did. */
    private static final int RESETS = 200;

    @Inject
    RedisDataSource redis;

    @Inject
    Availability availability;

    @Inject
    LiveReaders readers;

    @Inject
    MeterRegistry meters;

    @Test
    void counts_snapshotThenChanges_areAbsolute() throws Exception {
        String flag = "live-" + UUID.randomUUID();
        LiveEvents.send(service(), "test-server", flag, "blue", 3);
        try (LiveClient client = new LiveClient(COUNTS + "?featureId=" + flag, "Bearer test-read")) {
            assertEquals(200, client.open(service()));
            assertTrue(client.headers().toLowerCase(Locale.ROOT).contains("cache-control: no-store"));

            assertEquals("snapshot", client.nextCounts(PATIENCE).name());
            JsonNode first = client.flag(flag);
            assertEquals(3, first.path("events").asLong());
            assertEquals("blue", first.at("/variations/0/variationId").asText());
            assertEquals(3, first.at("/variations/0/events").asLong());
            assertEquals(3, first.at("/variations/0/uniques/count").asLong());
            assertEquals(0.025, first.at("/variations/0/uniques/standardError").asDouble());
            assertEquals("default", first.at("/variations/1/variationId").asText());
            assertTrue(first.path("countedUntil").asText().endsWith("Z"));

            LiveEvents.send(service(), "test-server", flag, "red", 2);
            while (client.events() < 5) {
                assertEquals("change", client.nextCounts(PATIENCE).name());
            }
            assertEquals(2, client.flag(flag).at("/variations/1/events").asLong());
        }
    }

    @Test
    void counts_readerWhoComesBack_getsWhatHeHasNot() throws Exception {
        String moved = "live-" + UUID.randomUUID();
        String still = "live-" + UUID.randomUUID();
        LiveEvents.send(service(), "test-server", moved, "blue", 1);
        LiveEvents.send(service(), "test-server", still, "blue", 1);
        String path = COUNTS + "?featureId=" + moved + "&featureId=" + still;
        LiveClient client = new LiveClient(path, "test-read");
        client.open(service());
        client.nextCounts(PATIENCE);
        client.close();
        String id = client.lastId();

        client.open(service());
        assertThrows(SocketTimeoutException.class, () -> client.nextCounts(Duration.ofSeconds(2)));
        client.close();

        LiveEvents.send(service(), "test-server", moved, "blue", 1);
        client.open(service());
        Message change = client.nextCounts(PATIENCE);
        client.close();
        assertEquals("change", change.name());
        assertTrue(change.data().contains(moved));
        assertFalse(change.data().contains(still), "what the reader has is not sent again");

        LiveClient byQuery = new LiveClient(path + "&lastEventId=" + id, "test-read");
        byQuery.open(service());
        assertEquals(change.data(), byQuery.nextCounts(PATIENCE).data());
        byQuery.close();

        LiveClient byNonsense = new LiveClient(path + "&lastEventId=nonsense", "test-read");
        byNonsense.open(service());
        assertEquals("snapshot", byNonsense.nextCounts(PATIENCE).name());
        byNonsense.close();
    }

    @Test
    void top_flagsOfTheEnvironment_areTheBusiestFirst() throws Exception {
        String busy = "live-" + UUID.randomUUID();
        String busier = "live-" + UUID.randomUUID();
        LiveEvents.send(service(), "test-other", busy, "blue", 1_001);
        LiveEvents.send(service(), "test-other", busier, "blue", 1_002);
        try (LiveClient client = new LiveClient(COUNTS + "?top=2&environmentId=other", "test-any")) {
            client.open(service());
            client.nextCounts(PATIENCE);
            assertEquals(List.of(busier, busy), client.featureIds());

            LiveEvents.send(service(), "test-other", busy, "blue", 5);
            while (!client.featureIds().equals(List.of(busy, busier))) {
                client.nextCounts(PATIENCE);
            }
            assertEquals(1_006, client.flag(busy).path("events").asLong());
        }
    }

    @Test
    void pulse_saysTheRateAndTheBroker() throws Exception {
        String flag = "live-" + UUID.randomUUID();
        LiveEvents.send(service(), "test-server", flag, "blue", 1);
        try (LiveClient client = new LiveClient(COUNTS + "?featureId=" + flag, "test-read")) {
            client.open(service());
            client.nextCounts(PATIENCE);
            LiveEvents.send(service(), "test-server", flag, "blue", 50);

            JsonNode pulse;
            do {
                Message message = client.next(PATIENCE);
                pulse = message.name().equals("pulse") ? JSON.readTree(message.data()) : JSON.nullNode();
            } while (pulse.at("/flags/0/eventsPerSecond").asDouble() == 0
                    || pulse.path("broker").isNull());

            assertTrue(pulse.path("readable").asBoolean());
            assertEquals("in-process", pulse.at("/broker/name").asText());
            assertEquals(0, pulse.at("/broker/lag").asLong());
            assertEquals(flag, pulse.at("/flags/0/featureId").asText());
        }
    }

    @Test
    void counts_thatFallInTheStore_areNotShownToFall() throws Exception {
        String flag = "live-" + UUID.randomUUID();
        LiveEvents.send(service(), "test-server", flag, "blue", 9);
        long day = LocalDate.now(ZoneOffset.UTC).atStartOfDay(ZoneOffset.UTC).toEpochSecond();
        try (LiveClient client = new LiveClient(COUNTS + "?featureId=" + flag, "test-read")) {
            client.open(service());
            client.nextCounts(PATIENCE);

            redis.execute("SET", "ec:" + day + ":" + flag + ":blue", "4");
            long reads = reads();
            Awaitility.await().atMost(PATIENCE).until(() -> reads() >= reads + 2);
            redis.execute("SET", "ec:" + day + ":" + flag + ":blue", "11");

            client.nextCounts(PATIENCE);
            assertEquals(11, client.events());
        }
    }

    @Test
    void activeUsers_snapshotThenChanges() throws Exception {
        LiveEvents.send(service(), "test-server", "live-users", "blue", 1);
        try (LiveClient client = new LiveClient("/v1/live/active_users", "test-read")) {
            client.open(service());
            JsonNode first = JSON.readTree(client.nextCounts(PATIENCE).data());
            long before = first.at("/today/users").asLong();
            assertTrue(before > 0);
            assertEquals(
                    first.at("/today/date").asText().substring(0, 7).replace("-", ""),
                    first.at("/month/yearMonth").asText());
            Message pulse;
            do {
                pulse = client.next(PATIENCE);
            } while (!pulse.name().equals("pulse"));
            assertEquals("{\"readable\":true}", pulse.data());

            LiveEvents.send(service(), "test-server", "live-users", "blue", 4);
            JsonNode later;
            do {
                later = JSON.readTree(client.nextCounts(PATIENCE).data());
            } while (later.at("/today/users").asLong() < before + 4);
            assertTrue(later.at("/month/users").asLong() >= before + 4);
        }
    }

    @Test
    void ticket_opensStreamsOfItsEnvironmentOnly() throws Exception {
        String ticket = given().header("authorization", "test-any")
                .post("/v1/live/tickets?environmentId=other")
                .then()
                .statusCode(200)
                .body("environmentId", equalTo("other"))
                .extract()
                .path("ticket");
        try (LiveClient client = new LiveClient(COUNTS + "?featureId=x&ticket=" + ticket, "")) {
            assertEquals(200, client.open(service()));
            assertTrue(client.nextCounts(PATIENCE).data().contains("\"environmentId\":\"other\""));
        }

        refused(Map.of("ticket", ticket, "environmentId", "default", "featureId", "x"), "")
                .statusCode(403)
                .body("code", equalTo("PERMISSION_DENIED"));
        refused(Map.of("ticket", "x" + ticket, "featureId", "x"), "").statusCode(403);
        given().header("authorization", "test-client")
                .post("/v1/live/tickets")
                .then()
                .statusCode(403);
        given().header("authorization", "test-read")
                .post("/v1/live/tickets?environmentId=other")
                .then()
                .statusCode(403);
        given().post("/v1/live/tickets").then().statusCode(401);
    }

    @Test
    void counts_refusals_areProblems() {
        refused(Map.of("featureId", "x"), "").statusCode(401).body("code", equalTo("UNAUTHENTICATED"));
        refused(Map.of("featureId", "x"), "test-client").statusCode(403);
        refused(Map.of("featureId", "x", "environmentId", "other"), "test-read").statusCode(403);
        refused(Map.of("featureId", "x".repeat(256)), "test-read").statusCode(400);
        refused(Map.of("top", "101"), "test-read").statusCode(400).body("detail", containsString("1 to 100"));
        availability.lost(Work.SERVE, "test", "Redis is away.");
        try {
            refused(Map.of("featureId", "x"), "test-read").statusCode(503).body("detail", equalTo("Redis is away."));
        } finally {
            availability.regained(Work.SERVE, "test");
        }
        availability.lost(Work.SERVE_USERS, "test", "PostgreSQL is away.");
        try {
            given().header("authorization", "test-read")
                    .get("/v1/live/active_users")
                    .then()
                    .statusCode(503)
                    .body("detail", equalTo("PostgreSQL is away."));
        } finally {
            availability.regained(Work.SERVE_USERS, "test");
        }
    }

    @Test
    void readerWhoLeaves_makesRoom() throws Exception {
        Awaitility.await().atMost(PATIENCE).until(() -> readers.size() == 0);
        LiveClient client = new LiveClient(COUNTS + "?featureId=x", "test-read");
        client.open(service());
        client.nextCounts(PATIENCE);
        assertEquals(1, readers.size());

        client.close();

        Awaitility.await().atMost(PATIENCE).until(() -> readers.size() == 0);
    }

    @Test
    void readerWhoIsGoneBeforeTheAnswer_makesRoom() throws Exception {
        Awaitility.await().atMost(PATIENCE).until(() -> readers.size() == 0);
        byte[] request = ("GET " + COUNTS
                        + "?featureId=x HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: test-read\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII);
        for (int i = 0; i < RESETS; i++) {
            try (Socket socket = new Socket("127.0.0.1", RestAssured.port)) {
                socket.setSoLinger(true, 0);
                socket.getOutputStream().write(request);
            }
        }

        Awaitility.await().atMost(PATIENCE).until(() -> readers.size() == 0);
    }

    private long reads() {
        return meters.get("flagtally.live.reads")
                .tags("kind", "counts", "outcome", "ok")
                .timer()
                .count();
    }

    private static URI service() {
        return URI.create("http://127.0.0.1:" + RestAssured.port);
    }

    private static ValidatableResponse refused(Map<String, String> query, String key) {
        var request = given().queryParams(query);
        return (key.isEmpty() ? request : request.header("authorization", key))
                .get(COUNTS)
                .then();
    }
}
