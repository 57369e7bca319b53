package io.flagtally.retail;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.packaged.ServiceProcess;
import io.flagtally.platform.embedded.LoopbackPort;
import io.flagtally.proof.FaultProxy;
import io.flagtally.testing.ActiveUsersTables;
import io.flagtally.testing.PostgresServerForTests;
import io.flagtally.testing.RedisServerForTests;
import io.flagtally.testing.TestData;
import io.vertx.mutiny.core.Vertx;
import io.vertx.mutiny.redis.client.Command;
import io.vertx.mutiny.redis.client.Redis;
import io.vertx.mutiny.redis.client.Request;
import io.vertx.mutiny.redis.client.Response;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * An import ends between its writes to Redis and to PostgreSQL, and is repeated when the window in which Redis recognises
 * repeats is over.
 */
class ImportFaultsIT {

    private static final int EVENTS = 1_000;
    private static final int USERS = 70;
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration MORE_THAN_THE_WINDOW = Duration.ofHours(25);

    private final List<AutoCloseable> open = new ArrayList<>();
    private final Path home = TestData.newDirectory("import-faults");
    private final int port = LoopbackPort.free();
    private final String file = file();
    private final HttpClient http = HttpClient.newHttpClient();
    private PostgresServerForTests postgres;
    private FaultProxy proxy;
    private RedisServerForTests server;
    private Redis redis;

    @BeforeEach
    void start() {
        postgres = opened(PostgresServerForTests.start());
        proxy = opened(FaultProxy.to(postgres.port()));
        server = opened(RedisServerForTests.start());
        Vertx vertx = Vertx.vertx();
        opened(vertx::closeAndAwait);
        redis = Redis.createClient(vertx, server.url());
    }

    @AfterEach
    void stop() throws Exception {
        for (int i = open.size() - 1; i >= 0; i--) {
            open.get(i).close();
        }
    }

    @Test
    void import_cutShortAndRepeatedAfterTheWindow_countsOnce() throws Exception {
        assertEquals(EVENTS, countedByRedisAfterARepeat("744H"));
        ActiveUsersTables tables = ActiveUsersTables.at(postgres.port());
        tables.requireSummariesEqualRows();
        assertEquals(EVENTS, tables.number("select sum(event_count)::bigint from mau"));
        assertEquals(USERS, tables.number("select count(*) from mau_user"));
    }

    /** What protects is that Redis remembers imported events for as long as they are recent. */
    @Test
    void import_rememberedForTheWindowOnly_doubles() throws Exception {
        assertEquals(2 * EVENTS, countedByRedisAfterARepeat("20H"));
    }

    private long countedByRedisAfterARepeat(String recentAge) throws Exception {
        ServiceProcess service = service(recentAge);
        proxy.loseRepliesFrom("insert into event_identity");
        CompletableFuture<HttpResponse<String>> cutShort = send(service);
        await().atMost(PATIENCE).until(() -> counted() == EVENTS);
        assertEquals(0, ActiveUsersTables.at(postgres.port()).number("select count(*) from event_identity"));
        service.kill();
        proxy.pass();
        await().atMost(PATIENCE).until(cutShort::isDone);
        assertTrue(
                cutShort.isCompletedExceptionally() || !cutShort.join().body().contains("done"));

        pass(MORE_THAN_THE_WINDOW);
        HttpResponse<String> repeated = send(service(recentAge)).get();

        assertTrue(repeated.body().contains("\"done\":true"), repeated::body);
        assertTrue(repeated.body().contains("\"counted\":" + EVENTS), repeated::body);
        return counted();
    }

    private ServiceProcess service(String recentAge) {
        return opened(
                FaultyRun.service(home, port, "postgresql://" + LoopbackPort.HOST + ":" + proxy.port() + "/postgres")
                        .with("-Dflagtally.redis.url=" + server.url())
                        .with("-Dflagtally.import.recent-age=" + recentAge)
                        .with("-Dflagtally.security.api-keys.importer.key=importer")
                        .with("-Dflagtally.security.api-keys.importer.roles=ADMIN")
                        .ready());
    }

    private CompletableFuture<HttpResponse<String>> send(ServiceProcess service) {
        return http.sendAsync(
                HttpRequest.newBuilder(service.uri("/v1/import"))
                        .header("authorization", "importer")
                        .timeout(PATIENCE)
                        .POST(HttpRequest.BodyPublishers.ofString(file))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private static String file() {
        Instant now = Instant.now();
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < EVENTS; i++) {
            lines.append("{\"id\":\"")
                    .append(UUID.randomUUID())
                    .append("\",\"event\":{\"@type\":\"type.googleapis.com/bucketeer.event.client.EvaluationEvent\",")
                    .append("\"timestamp\":")
                    .append(now.minusSeconds(i % 3_600).getEpochSecond())
                    .append(",\"featureId\":\"flag\",\"variationId\":\"v\",\"userId\":\"u")
                    .append(i % USERS)
                    .append("\",\"reason\":{\"type\":\"RULE\"},\"sourceId\":\"WEB\"}}\n");
        }
        return lines.toString();
    }

    /** What Redis has counted of the flag, over its days. */
    private long counted() {
        long sum = 0;
        for (String key : keys("ec:*")) {
            sum += run("GET", key).toLong();
        }
        return sum;
    }

    /** Lets Redis' keys come {@code time} closer to their expiry. */
    private void pass(Duration time) {
        for (String key : keys("*")) {
            long left = run("TTL", key).toLong();
            if (left >= 0 && left <= time.toSeconds()) {
                run("DEL", key);
            } else if (left >= 0) {
                run("EXPIRE", key, String.valueOf(left - time.toSeconds()));
            }
        }
    }

    private List<String> keys(String pattern) {
        List<String> keys = new ArrayList<>();
        run("KEYS", pattern).forEach(key -> keys.add(key.toString()));
        return keys;
    }

    private Response run(String command, String... arguments) {
        Request request = Request.cmd(Command.create(command));
        for (String argument : arguments) {
            request.arg(argument);
        }
        return redis.sendAndAwait(request);
    }

    private <T extends AutoCloseable> T opened(T some) {
        open.add(some);
        return some;
    }
}
