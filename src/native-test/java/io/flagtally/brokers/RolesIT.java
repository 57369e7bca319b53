package io.flagtally.brokers;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.packaged.ServiceProcess;
import io.flagtally.platform.embedded.LoopbackPort;
import io.flagtally.testing.PostgresServerForTests;
import io.flagtally.testing.RedisServerForTests;
import io.flagtally.testing.TestData;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * Each role as a process of its own, over Redis Streams: what goes in at one is counted by another and read at a third.
 * The one that takes events in knows no store but the broker's.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RolesIT {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String KEY = "local";

    /** What a busy machine makes any process say, whatever its role. */
    private static final Pattern OF_A_SLOW_MACHINE =
            Pattern.compile("TimeoutException|did not answer within|no answer|has been blocked for");

    private final PostgresServerForTests postgres = PostgresServerForTests.start();
    private final RedisServerForTests streams = RedisServerForTests.start();
    private final RedisServerForTests counts = RedisServerForTests.start();
    private final RedisServerForTests otherCounts = RedisServerForTests.start();
    private final List<ServiceProcess> processes = new ArrayList<>();
    private ServiceProcess ingest;
    private ServiceProcess ingestWithTable;
    private ServiceProcess consume;
    private ServiceProcess serve;
    private ServiceProcess other;

    @BeforeAll
    void start() {
        int servePort = LoopbackPort.free();
        int otherPort = LoopbackPort.free();
        ingest = ready(service("ingest"));
        consume = ready(stores(service("consume"), counts));
        ingestWithTable = ready(table(service("ingest")));
        other = ready(stores(service("serve"), otherCounts).port(otherPort));
        serve = ready(stores(service("serve"), counts)
                .port(servePort)
                .with("-Dflagtally.reconcile.targets.itself.url=http://127.0.0.1:" + servePort)
                .with("-Dflagtally.reconcile.targets.itself.key=" + KEY)
                .with("-Dflagtally.reconcile.targets.other.url=http://127.0.0.1:" + otherPort)
                .with("-Dflagtally.reconcile.targets.other.key=" + KEY));
    }

    @AfterAll
    void stop() {
        processes.forEach(ServiceProcess::close);
        List.of(streams, counts, otherCounts).forEach(RedisServerForTests::close);
        postgres.close();
    }

    @Test
    void events_inAtOneProcess_areCountedByAnotherAndReadAtAThird() {
        SentEvents events = new SentEvents("by-roles");
        for (int i = 0; i < 20; i++) {
            HttpResponse<String> answer = post(ingest, "/register_events", events.request(50));
            assertEquals(200, answer.statusCode(), answer.body());
        }

        await().atMost(PATIENCE).untilAsserted(() -> assertEquals(1_000, counted("by-roles")));
    }

    @Test
    void reconcile_twoRunningCounters_findsWhatOnlyOneHas() {
        SentEvents events = new SentEvents("on-one-side");
        assertEquals(200, post(ingest, "/register_events", events.request(30)).statusCode());
        await().atMost(PATIENCE).untilAsserted(() -> assertEquals(30, counted("on-one-side")));

        String different = get(serve, reconcile(other)).body();
        assertTrue(
                different.contains("\"featureId\":\"on-one-side\",\"variationId\":\"on\"")
                        && different.contains("\"here\":30,\"there\":0"),
                different);
        await().atMost(PATIENCE).untilAsserted(() -> {
            String equal = get(serve, reconcile(serve)).body();
            assertTrue(equal.contains("\"different\":0,\"differences\":[]"), equal);
        });
        other.kill();
        HttpResponse<String> away = get(serve, reconcile(other));
        assertEquals(503, away.statusCode(), away.body());
        assertTrue(away.body().contains("The counter at http://127.0.0.1:" + other.port()), away.body());
    }

    /** Letters are listed where reads are answered, and go back where events are taken in. */
    @Test
    void redrive_atTheProcessThatTakesEvents_needsTheTableOfLetters() {
        SentEvents events = new SentEvents("mended-by-roles");
        String counter = "ec:" + events.day() + ":" + events.flag() + ":" + SentEvents.VARIATION;
        counts.run("RPUSH", counter, "no-counter");
        assertEquals(200, post(ingest, "/register_events", events.request(10)).statusCode());
        await().atMost(PATIENCE).untilAsserted(() -> {
            String letters = get(serve, "/v1/dead_letters").body();
            assertEquals(10, letters.split("COUNTER_UNUSABLE", -1).length - 1, letters);
        });
        counts.run("DEL", counter);

        String all = "{\"code\":\"COUNTER_UNUSABLE\"}";
        HttpResponse<String> without = post(ingest, "/v1/dead_letters/redrive", all);
        assertEquals(503, without.statusCode(), without.body());
        assertTrue(without.body().contains("PostgreSQL"), without.body());
        HttpResponse<String> with = post(ingestWithTable, "/v1/dead_letters/redrive", all);
        assertTrue(with.body().contains("\"sent\":10"), with.body());

        await().atMost(PATIENCE).untilAsserted(() -> assertEquals(10, counted(events.flag())));
        assertRefused("ingest", post(consume, "/v1/dead_letters/redrive", all));
    }

    @Test
    void doors_ofARoleThatAProcessDoesNotHave_sayWhich() {
        SentEvents events = new SentEvents("nowhere");
        for (ServiceProcess each : List.of(consume, serve)) {
            assertRefused("ingest", post(each, "/register_events", events.request(1)));
            assertRefused("ingest", post(each, "/get_evaluations", "{}"));
        }
        for (ServiceProcess each : List.of(ingest, consume)) {
            assertRefused("serve", get(each, "/v1/flags"));
            assertRefused("serve", get(each, "/v1/evaluation_series?featureId=f&from=2026-11-20"));
        }
        assertRefused("consume", get(ingest, "/v1/batch/jobs"));
        assertRefused("consume", get(serve, "/v1/batch/jobs"));
        assertEquals(200, get(consume, "/v1/batch/jobs").statusCode());
    }

    @Test
    void health_ofEachProcess_isThatOfItsRole() {
        for (ServiceProcess each : List.of(ingest, consume, serve)) {
            assertEquals(200, each.get("/q/health/live").statusCode());
            assertEquals(200, each.get("/q/health/ready").statusCode());
            assertFalse(each.log().contains("ERROR"), each::log);
            // A process that only takes events lives without PostgreSQL; what it accepted is then missing in the
            // ledger.
            assertEquals(
                    List.of(),
                    each.log()
                            .lines()
                            .filter(line -> line.contains(" WARN "))
                            .filter(line -> each != ingest || !line.contains("The ledger cannot be written just now"))
                            .filter(line -> !OF_A_SLOW_MACHINE.matcher(line).find())
                            .toList());
        }

        counts.pause();
        try {
            await().atMost(PATIENCE)
                    .untilAsserted(() ->
                            assertEquals(503, serve.get("/q/health/ready").statusCode(), "reads cannot be answered"));
            assertEquals(200, ingest.get("/q/health/ready").statusCode(), "the broker takes events");
            assertEquals(200, serve.get("/q/health/live").statusCode());
            assertEquals(200, consume.get("/q/health/live").statusCode());
        } finally {
            counts.resume();
        }
        serve.awaitReady();

        streams.pause();
        try {
            await().atMost(PATIENCE)
                    .untilAsserted(() ->
                            assertEquals(503, ingest.get("/q/health/ready").statusCode(), "nothing takes events"));
            await().atMost(PATIENCE)
                    .untilAsserted(() ->
                            assertEquals(503, consume.get("/q/health/ready").statusCode(), "nothing gives events"));
            assertEquals(503, consume.get("/q/health/group/consume").statusCode());
            assertEquals(200, serve.get("/q/health/ready").statusCode(), "reads need no broker");
            assertEquals(200, ingest.get("/q/health/live").statusCode());
            assertEquals(200, consume.get("/q/health/live").statusCode());
        } finally {
            streams.resume();
        }
        ingest.awaitReady();
        consume.awaitReady();
    }

    private static void assertRefused(String role, HttpResponse<String> answer) {
        assertEquals(404, answer.statusCode(), answer.body());
        assertTrue(answer.body().contains("does not have the role " + role), answer.body());
    }

    private ServiceProcess ready(ServiceProcess.Start start) {
        ServiceProcess process = start.ready();
        processes.add(process);
        return process;
    }

    private ServiceProcess.Start service(String role) {
        return ServiceProcess.in(TestData.newDirectory("role-" + role))
                .with("-Xmx200m")
                .with("-Dquarkus.profile=redis")
                .with("-Dquarkus.http.host=127.0.0.1")
                .with("-Dflagtally.roles=" + role)
                .with("-Dflagtally.redis-streams.url=" + streams.url())
                .with("-Dflagtally.security.api-keys.test.key=" + KEY)
                .with("-Dflagtally.security.api-keys.test.roles=SDK_SERVER,READ_ONLY,ADMIN");
    }

    private ServiceProcess.Start stores(ServiceProcess.Start start, RedisServerForTests redis) {
        return table(start).with("-Dflagtally.redis.url=" + redis.url());
    }

    private ServiceProcess.Start table(ServiceProcess.Start start) {
        return start.with("-Dflagtally.postgres.url=postgresql://127.0.0.1:" + postgres.port() + "/postgres");
    }

    private long counted(String flag) {
        String answer = get(
                        serve,
                        "/v1/evaluation_series?featureId=" + flag + "&from="
                                + LocalDate.now(ZoneOffset.UTC).minusDays(1))
                .body();
        return BrokeredService.sum(answer);
    }

    private static String reconcile(ServiceProcess against) {
        return "/v1/reconcile?from=" + LocalDate.now(ZoneOffset.UTC).minusDays(1) + "&against=http://127.0.0.1:"
                + against.port();
    }

    private static HttpResponse<String> get(ServiceProcess process, String path) {
        return process.send(HttpRequest.newBuilder(process.uri(path)).header("authorization", KEY));
    }

    private static HttpResponse<String> post(ServiceProcess process, String path, String body) {
        return process.send(HttpRequest.newBuilder(process.uri(path))
                .header("authorization", KEY)
                .header("content-type", "application/json")
                .POST(BodyPublishers.ofString(body)));
    }
}
