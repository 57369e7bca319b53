package io.flagtally.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.platform.Availability;
import io.flagtally.platform.Availability.Work;
import io.flagtally.testing.EmbeddedStoresResource;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Random;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.eclipse.microprofile.config.ConfigProvider;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@QuarkusTest
@QuarkusTestResource(EmbeddedStoresResource.class)
class RegisterEventsQuarkusTest {

    private static final String ALL_TAKEN = "{\"errors\":{}}";
    private static final String KEY = "test-client";
    private static final int BODY_BYTES_MAX = 4 * 1024 * 1024;

    @Inject
    InstantSource clock;

    @Inject
    InFlight inFlight;

    @Inject
    Availability availability;

    @Inject
    MeterRegistry meters;

    private DoorClient door;

    @BeforeEach
    void connect() {
        door = DoorClient.ofThisTest();
    }

    @ParameterizedTest
    @ValueSource(strings = {"js-client-sdk-2.6.1", "node-server-sdk-0.4.6"})
    void register_capturedBodyOfAnSdk_isTaken(String sdk) throws IOException {
        String body = Pattern.compile("\"timestamp\":\\d+")
                .matcher(capture(sdk + ".register_events.json"))
                .replaceAll("\"timestamp\":" + now());
        body = Pattern.compile("(\\{\"id\":)\"[0-9a-f-]{36}\"")
                .matcher(body)
                .replaceAll(id -> id.group(1) + "\"" + UUID.randomUUID() + "\"");

        HttpResponse<String> answer = door.register(KEY, body);

        assertEquals(200, answer.statusCode());
        assertEquals(ALL_TAKEN, answer.body());
    }

    @Test
    void register_chunkedOrGzip_isTaken() {
        byte[] body = good().getBytes(StandardCharsets.UTF_8);

        assertEquals(ALL_TAKEN, door.registerChunked(KEY, body).body());
        assertEquals(ALL_TAKEN, door.registerGzip(KEY, DoorClient.gzip(body)).body());
    }

    @Test
    void register_expectContinue_isTaken() {
        HttpResponse<String> answer = door.send(door.post("/register_events", BodyPublishers.ofString(good()))
                .header("authorization", KEY)
                .expectContinue(true));

        assertEquals(ALL_TAKEN, answer.body());
    }

    @Test
    void register_goodAndBadEvents_namesTheBadOnes() {
        String badId = "b9968a6c-baeb-4635-9b91-624d748364db";
        HttpResponse<String> answer = door.register(
                KEY,
                DoorClient.events(
                        DoorClient.evaluation("f", "v", "u", now()),
                        DoorClient.evaluation(badId, "f", "", "u", now()),
                        DoorClient.evaluation(badId, "f", "v", "", now()),
                        DoorClient.evaluation("not a uuid", "f", "v", "u", now())));

        assertEquals(200, answer.statusCode());
        assertEquals(
                "{\"errors\":{\"" + badId + "\":{\"retriable\":false,\"message\":\"gateway: user_id is empty\"},"
                        + "\"not a uuid\":{\"retriable\":false,\"message\":\"gateway: invalid event id format\"}}}",
                answer.body());
    }

    @Test
    void register_sameEventTwice_isTaken() {
        String event = DoorClient.evaluation("f", "v", "u", now());

        assertEquals(
                ALL_TAKEN, door.register(KEY, DoorClient.events(event, event)).body());
    }

    @Test
    void register_sameIdWithOtherContent_isTakenAndCountedAsReused() {
        double before = reused();
        String id = UUID.randomUUID().toString();

        HttpResponse<String> answer = door.register(
                KEY,
                DoorClient.events(
                        DoorClient.evaluation(id, "f", "v", "u", now()),
                        DoorClient.evaluation(id, "f", "w", "u", now())));

        assertEquals(ALL_TAKEN, answer.body());
        assertEquals(before + 1, reused());
    }

    @Test
    void register_eventsAtTheBound_areTakenAndBeyondAreRefused() {
        assertEquals(ALL_TAKEN, door.register(KEY, many(10_000)).body());
        assertStatus(400, 3, door.register(KEY, many(10_001)));
    }

    @Test
    void register_storeMissing_isToldAtOnceAndUntilItIsBack() {
        availability.lost(Work.ACCEPT, "test", "gateway: the store of this test is away");
        try {
            HttpResponse<String> answer = door.register(KEY, good());
            assertStatus(503, 14, answer);
            assertEquals("1", answer.headers().firstValue("retry-after").orElse(""));
            assertStatus(503, 14, door.get("/track?apikey=test-client&userid=u&goalid=g"));
        } finally {
            availability.regained(Work.ACCEPT, "test");
        }
        assertEquals(ALL_TAKEN, door.register(KEY, good()).body());
    }

    @Test
    void register_full_isToldToComeBackAndNothingIsTaken() {
        int taken = 0;
        while (inFlight.takeMessage()) {
            taken++;
        }
        try {
            HttpResponse<String> answer = door.register(KEY, good());
            assertStatus(429, 8, answer);
            assertEquals("1", answer.headers().firstValue("retry-after").orElse(""));
        } finally {
            for (int i = 0; i < taken; i++) {
                inFlight.releaseMessage();
            }
        }
        assertEquals(ALL_TAKEN, door.register(KEY, good()).body());
        assertEquals(0, inFlight.bytes());
    }

    @ParameterizedTest
    @CsvSource({
        "'', 401, 16, gateway: missing APIKey",
        "nobody, 403, 7, gateway: invalid APIKey",
        "test-disabled, 403, 7, gateway: disabled APIKey",
        "test-read, 403, 7, gateway: bad role",
        "test-admin, 403, 7, gateway: bad role"
    })
    void register_keyThatMayNot_isToldBeforeAnythingElse(String key, int status, int code, String message) {
        for (String body : new String[] {good(), "{", "x".repeat(6 * 1024 * 1024)}) {
            HttpResponse<String> answer = door.register(key, body);

            assertEquals(status, answer.statusCode());
            assertEquals("{\"code\":" + code + ",\"message\":\"" + message + "\",\"details\":[]}", answer.body());
        }
    }

    @Test
    void register_bodyAtTheBound_isTakenAndBeyondIsRefused() {
        assertEquals(ALL_TAKEN, door.register(KEY, sized(BODY_BYTES_MAX)).body());
        assertEquals(ALL_TAKEN, door.registerChunked(KEY, sized(BODY_BYTES_MAX)).body());
        assertEquals(
                ALL_TAKEN,
                door.registerGzip(KEY, DoorClient.gzip(sized(BODY_BYTES_MAX))).body());

        assertTooLarge(door.register(KEY, sized(BODY_BYTES_MAX + 1)));
        assertTooLarge(door.registerChunked(KEY, sized(BODY_BYTES_MAX + 1)));
        assertTooLarge(door.registerGzip(KEY, DoorClient.gzip(sized(BODY_BYTES_MAX + 1))));
        assertTooLarge(door.register(KEY, sized(12 * 1024 * 1024)));
    }

    @Test
    void register_bodyAnnouncedBeyondAllMeasure_isRefusedAtOnceAndTheConnectionEnds() throws IOException {
        int port = ConfigProvider.getConfig().getValue("quarkus.http.test-port", Integer.class);
        try (Socket socket = new Socket("127.0.0.1", port)) {
            socket.setSoTimeout(10_000);
            String head = "POST /register_events HTTP/1.1\r\nhost: x\r\nauthorization: " + KEY
                    + "\r\ncontent-length: 500000000\r\n\r\n";
            socket.getOutputStream().write(head.getBytes(StandardCharsets.UTF_8));

            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

            assertTrue(answer.startsWith("HTTP/1.1 413 "), answer);
            assertTrue(answer.contains("{\"code\":8,"), answer);
        }
    }

    @Test
    void register_callerLeavesHalfway_nothingStaysHeld() throws IOException {
        int port = ConfigProvider.getConfig().getValue("quarkus.http.test-port", Integer.class);
        try (Socket socket = new Socket("127.0.0.1", port)) {
            String head = "POST /register_events HTTP/1.1\r\nhost: x\r\nauthorization: " + KEY
                    + "\r\ncontent-length: 100000\r\n\r\n" + "x".repeat(50_000);
            socket.getOutputStream().write(head.getBytes(StandardCharsets.UTF_8));
            Awaitility.await().until(() -> inFlight.bytes() > 0);
        }
        Awaitility.await().until(() -> inFlight.bytes() == 0);
    }

    @Test
    void register_gzipBomb_isRefusedWithoutBeingHeld() {
        byte[] bomb = DoorClient.gzip(new byte[256 * 1024 * 1024]);
        assertTrue(bomb.length < BODY_BYTES_MAX);

        assertTooLarge(door.registerGzip(KEY, bomb));
        assertEquals(0, inFlight.bytes());
    }

    @Test
    void register_noGzip_isMalformed() {
        byte[] random = new byte[1000];
        new Random(1).nextBytes(random);
        byte[] cut = DoorClient.gzip(good().getBytes(StandardCharsets.UTF_8));

        assertStatus(400, 3, door.registerGzip(KEY, random));
        assertStatus(400, 3, door.registerGzip(KEY, new byte[0]));
        assertStatus(400, 3, door.registerGzip(KEY, Arrays.copyOf(cut, cut.length - 5)));
    }

    @Test
    void register_otherEncoding_isRefused() {
        assertStatus(
                400,
                3,
                door.send(door.post("/register_events", BodyPublishers.ofString(good()))
                        .header("authorization", KEY)
                        .header("content-encoding", "br")));
    }

    private static void assertTooLarge(HttpResponse<String> answer) {
        assertStatus(413, 8, answer);
    }

    private static void assertStatus(int status, int code, HttpResponse<String> answer) {
        assertEquals(status, answer.statusCode(), answer.body());
        assertTrue(answer.body().startsWith("{\"code\":" + code + ",\"message\":\"gateway: "), answer.body());
    }

    private double reused() {
        return meters.counter("flagtally.events.id_reused").count();
    }

    private String many(int events) {
        return DoorClient.events(IntStream.range(0, events)
                .mapToObj(i -> DoorClient.evaluation("f", "v", "u" + i, now()))
                .toArray(String[]::new));
    }

    private byte[] sized(int bytes) {
        String body = good();
        return (body + " ".repeat(bytes - body.length())).getBytes(StandardCharsets.UTF_8);
    }

    private String good() {
        return DoorClient.events(DoorClient.evaluation("f", "v", "u", now()));
    }

    private long now() {
        return clock.instant().getEpochSecond();
    }

    private static String capture(String name) throws IOException {
        try (InputStream in = RegisterEventsQuarkusTest.class.getResourceAsStream("/captures/" + name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
