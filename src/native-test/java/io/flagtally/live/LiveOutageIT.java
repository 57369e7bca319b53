package io.flagtally.live;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.packaged.ServiceProcess;
import io.flagtally.testing.LiveClient;
import io.flagtally.testing.LiveEvents;
import io.flagtally.testing.PostgresServerForTests;
import io.flagtally.testing.RedisServerForTests;
import io.flagtally.testing.TestData;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Streams of a service whose stores go away and come back. */
class LiveOutageIT {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String COUNTS = "/v1/live/evaluation_counts?featureId=outage";
    private static final String USERS = "/v1/live/active_users";

    private RedisServerForTests redis;
    private PostgresServerForTests postgres;
    private ServiceProcess service;

    @BeforeEach
    void start() throws InterruptedException {
        redis = RedisServerForTests.start();
        postgres = PostgresServerForTests.start();
        service = ServiceProcess.in(TestData.newDirectory("live-outage"))
                .with("-Dflagtally.redis.url=" + redis.url())
                .with("-Dflagtally.postgres.url=postgresql://127.0.0.1:" + postgres.port() + "/postgres")
                .with("-Dflagtally.security.embedded-key=local")
                .with("-Dflagtally.live.heartbeat=2s")
                .with("-Dquarkus.http.host=127.0.0.1")
                .ready();
        LiveEvents.send(service.uri(""), "local", "outage", "on", 3);
    }

    @AfterEach
    void stop() {
        service.close();
        redis.close();
        postgres.close();
    }

    @Test
    void postgresAway_usersCannotBeOpenedAndOpenOnesSaySo() throws IOException {
        try (LiveClient reader = new LiveClient(USERS, "local")) {
            assertEquals(200, reader.open(service.uri("")));
            assertEquals("snapshot", reader.nextCounts(PATIENCE).name());
            awaitPulse(reader, "{\"readable\":true}");

            postgres.stop();

            awaitPulse(reader, "{\"readable\":false}");
            awaitOpen(USERS, 503);
            assertTrue(refusal(USERS).contains("\"code\":\"UNAVAILABLE\""));
            try (LiveClient counts = new LiveClient(COUNTS, "local")) {
                assertEquals(200, counts.open(service.uri("")), "counts are of Redis");
                assertEquals("snapshot", counts.nextCounts(PATIENCE).name());
            }

            postgres.restart();

            awaitPulse(reader, "{\"readable\":true}");
            awaitOpen(USERS, 200);
        }
    }

    @Test
    void redisAway_countsCannotBeOpenedAndOpenOnesSaySo() throws IOException {
        try (LiveClient reader = new LiveClient(COUNTS, "local")) {
            assertEquals(200, reader.open(service.uri("")));
            assertEquals("snapshot", reader.nextCounts(PATIENCE).name());
            awaitPulse(reader, "{\"readable\":true");

            redis.stop();

            awaitPulse(reader, "{\"readable\":false");
            awaitOpen(COUNTS, 503);
            assertTrue(refusal(COUNTS).contains("\"code\":\"UNAVAILABLE\""));

            redis.restart();

            awaitPulse(reader, "{\"readable\":true");
            awaitOpen(COUNTS, 200);
        }
    }

    @Test
    void quietStream_getsCommentLines() throws IOException {
        try (LiveClient reader = new LiveClient(USERS, "local")) {
            reader.open(service.uri(""));
            assertEquals("", reader.next(PATIENCE).name(), "the greeting");
            assertEquals("snapshot", reader.next(PATIENCE).name());
            assertEquals("pulse", reader.next(PATIENCE).name());
            for (int i = 0; i < 3; i++) {
                LiveClient.Message quiet = reader.next(PATIENCE);
                assertEquals("", quiet.name() + quiet.data(), "a comment line");
            }
        }
    }

    private static void awaitPulse(LiveClient reader, String begin) throws IOException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        LiveClient.Message message;
        do {
            assertTrue(System.nanoTime() < end, "no pulse " + begin);
            message = reader.next(PATIENCE);
        } while (!message.name().equals("pulse") || !message.data().startsWith(begin));
    }

    /** What is answered while the stream cannot be opened. */
    private String refusal(String path) {
        var answer = service.send(HttpRequest.newBuilder(service.uri(path)).header("authorization", "local"));
        assertEquals(503, answer.statusCode());
        assertTrue(answer.headers().firstValue("content-type").orElse("").startsWith("application/problem+json"));
        return answer.body();
    }

    private void awaitOpen(String path, int status) {
        Awaitility.await().atMost(PATIENCE).until(() -> {
            try (LiveClient later = new LiveClient(path, "local")) {
                return later.open(service.uri("")) == status;
            }
        });
    }
}
