package io.flagtally.packaged;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.platform.embedded.LoopbackPort;
import io.flagtally.testing.RedisServerForTests;
import io.flagtally.testing.TestData;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** The service with nothing configured: what starts, what ends, what stays. */
class EmbeddedServiceIT {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Path directory = TestData.newDirectory("service");

    @Test
    void start_emptyDirectory_answersAndSaysHowToUseIt() {
        try (ServiceProcess service = ServiceProcess.in(directory).ready()) {
            assertEquals(200, service.get("/q/health/live").statusCode());
            assertEquals(200, service.get("/q/metrics").statusCode());
            assertTrue(service.get("/").body().contains("<title>Flagtally</title>"));
            assertEquals(200, service.get("/swagger-ui/").statusCode());

            assertTrue(service.log().contains("Open  http://localhost:" + service.port() + "/"), service::log);
            assertTrue(service.log().contains("Key   local"), service::log);
            assertTrue(service.log().contains("Data  " + directory.resolve("flagtally-data")), service::log);

            service.stop();

            assertEquals(List.of(), service.servers());
        }
    }

    @Test
    void start_secondOnTheSameDirectory_refusedWithOneSentence() {
        try (ServiceProcess first = ServiceProcess.in(directory).ready();
                ServiceProcess second = ServiceProcess.in(directory).launch()) {
            assertEquals(1, second.exitCode());
            assertSentence("is in use by another Flagtally (process " + first.pid() + ")", second);
            assertEquals(200, first.get("/q/health/ready").statusCode());
        }
    }

    @Test
    void kill_watchdogEndsTheServers() {
        try (ServiceProcess service = ServiceProcess.in(directory).ready()) {
            service.kill();

            Awaitility.await().atMost(PATIENCE).until(() -> service.servers().isEmpty());
        }
    }

    @Test
    void start_afterKillThatLeftServers_endsThemAndKeepsTheData() throws IOException {
        try (ServiceProcess killed = ServiceProcess.in(directory).ready()) {
            assertEquals("+OK", killed.askRedis("SET survivor 1"));
            killed.children().forEach(ProcessHandle::destroyForcibly);
            List<Long> leftovers = pidsOfPostmasterAndRedis(killed);
            assertEquals(2, leftovers.size(), "a PostgreSQL and a Redis");
            killed.kill();
            assertTrue(pidsOfServers(killed).containsAll(leftovers), "without the watchdogs the servers live on");

            try (ServiceProcess service = ServiceProcess.in(directory).ready()) {
                assertTrue(pidsOfServers(service).stream().noneMatch(leftovers::contains));
                assertEquals("$1", service.askRedis("GET survivor"));
            }
        }
    }

    @Test
    void stop_whileTheServersStart_leavesNoProcess() {
        try (ServiceProcess service = ServiceProcess.in(directory).launch()) {
            Awaitility.await().atMost(PATIENCE).until(() -> !service.servers().isEmpty());

            service.stop();

            assertEquals(List.of(), service.servers());
        }
    }

    @Test
    void stop_whileTheStartWaitsForADatabase_endsAtOnce() {
        try (ServiceProcess service = ServiceProcess.in(directory)
                .with("-Dflagtally.postgres.url=postgresql://127.0.0.1:" + LoopbackPort.free() + "/none")
                .launch()) {
            Awaitility.await().atMost(PATIENCE).until(() -> service.log().contains("waiting for it"));

            service.stop();

            assertEquals(List.of(), service.servers());
        }
    }

    @Test
    void start_operatorsFile_takesEffectAndCommandLineBeatsIt() throws IOException {
        int inFile = LoopbackPort.free();
        Files.writeString(directory.resolve("application.yaml"), """
                config_ordinal: 260
                quarkus:
                  http:
                    port: %d
                flagtally:
                  security:
                    api-keys:
                      web:
                        key: web-key
                        roles: [SDK_CLIENT]
                """.formatted(inFile));

        try (ServiceProcess service =
                ServiceProcess.in(directory).portConfiguredAs(inFile).ready()) {
            assertFalse(service.log().contains("Key   local"), service::log);
            service.stop();
        }
        try (ServiceProcess service = ServiceProcess.in(directory).ready()) {
            assertTrue(service.port() != inFile);
        }
        int inEnvironment = LoopbackPort.free();
        try (ServiceProcess service = ServiceProcess.in(directory)
                .env("QUARKUS_HTTP_PORT", String.valueOf(inEnvironment))
                .portConfiguredAs(inEnvironment)
                .ready()) {
            assertEquals(200, service.get("/q/health/live").statusCode());
        }
    }

    @Test
    void start_externalRedis_embeddedOneStaysOff() {
        try (RedisServerForTests redis = RedisServerForTests.start();
                ServiceProcess service = ServiceProcess.in(directory)
                        .with("-Dflagtally.redis.url=" + redis.url())
                        .ready()) {
            assertTrue(service.servers().stream()
                    .noneMatch(handle -> program(handle).startsWith("redis")));
            assertTrue(service.servers().stream()
                    .anyMatch(handle -> program(handle).startsWith("postgres")));
            assertTrue(service.log().contains("Redis at 127.0.0.1:" + redis.port()), service::log);
            assertFalse(service.log().contains("Key   local"), service::log);
        }
    }

    @Test
    void start_portTaken_refusedWithOneSentence() throws IOException {
        try (ServerSocket taken = new ServerSocket(0);
                ServiceProcess service =
                        ServiceProcess.in(directory).port(taken.getLocalPort()).launch()) {
            assertEquals(1, service.exitCode());
            assertSentence("choose another with quarkus.http.port", service);
            assertEquals(List.of(), service.servers());
        }
    }

    @Test
    void start_newerDataDirectory_refusedWithOneSentence() throws IOException {
        Path data = Files.createDirectories(directory.resolve("flagtally-data"));
        Files.writeString(data.resolve("flagtally-data.properties"), "format=99\n");

        try (ServiceProcess service = ServiceProcess.in(directory).launch()) {
            assertEquals(1, service.exitCode());
            assertSentence("was written by a newer Flagtally (format 99", service);
        }
    }

    private static void assertSentence(String part, ServiceProcess service) {
        String log = service.log();
        assertTrue(log.contains(part), log);
        assertEquals(1, log.strip().lines().count(), log);
    }

    private static List<Long> pidsOfPostmasterAndRedis(ServiceProcess service) {
        List<Long> all = pidsOfServers(service);
        return service.servers().stream()
                .filter(handle -> handle.parent()
                        .filter(parent -> all.contains(parent.pid()))
                        .isEmpty())
                .map(ProcessHandle::pid)
                .toList();
    }

    private static List<Long> pidsOfServers(ServiceProcess service) {
        return service.servers().stream().map(ProcessHandle::pid).toList();
    }

    private static String program(ProcessHandle handle) {
        return handle.info()
                .command()
                .map(command -> Path.of(command).getFileName().toString())
                .orElse("");
    }
}
