package io.flagtally.brokers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.packaged.ServiceProcess;
import io.flagtally.retail.InstalledCluster;
import io.flagtally.testing.KafkaServerForTests;
import io.flagtally.testing.PostgresServerForTests;
import io.flagtally.testing.RedisServerForTests;
import io.flagtally.testing.TestData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The packaged service says in one sentence which key to set when its broker can never work, and opens and logs nothing of
 * a broker that was not chosen.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BrokerStartIT {

    private static final String TOPIC = "flagtally-events";
    private static final String ESTABLISHED = "01";

    private final KafkaServerForTests kafka = KafkaServerForTests.started();
    private final PostgresServerForTests postgres = PostgresServerForTests.start();
    private final RedisServerForTests counts = RedisServerForTests.start();

    @BeforeAll
    void makeTopic() throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.directServers()))) {
            Void unused = admin.createTopics(List.of(new NewTopic(TOPIC, 1, (short) 1)))
                    .all()
                    .get();
        }
    }

    @AfterAll
    void end() throws Exception {
        for (AutoCloseable each : new AutoCloseable[] {kafka, counts, postgres}) {
            each.close();
        }
    }

    @Test
    void start_unknownProfile_isRefused() {
        assertRefused(Map.of("quarkus.profile", "kafak"), "There is no profile kafak", "quarkus.profile");
    }

    @ParameterizedTest
    @CsvSource({
        "kafka,kafka.bootstrap.servers",
        "rabbitmq,flagtally.broker.rabbitmq.addresses",
        "amqp,flagtally.broker.amqp.addresses",
        "azure,flagtally.broker.azure.connection-string",
        "gcp,flagtally.broker.gcp.project"
    })
    void start_brokerWithoutConnection_isRefusedNamingTheKey(String profile, String key) {
        assertRefused(Map.of("quarkus.profile", profile), "The profile " + profile + " needs", "set " + key);
    }

    @Test
    void start_kafkaWithoutTheTopic_isRefusedNamingTheKey() {
        assertRefused(
                Map.of(
                        "quarkus.profile", "kafka",
                        "kafka.bootstrap.servers", kafka.directServers(),
                        "flagtally.broker.subscribe-to", "absent"),
                "has no topic absent",
                "flagtally.broker.subscribe-to");
    }

    @Test
    void start_mirrorWithoutTheTopic_isRefusedNamingTheKey() {
        assertRefused(
                Map.of(
                        "quarkus.profile", "kafka",
                        "kafka.bootstrap.servers", kafka.directServers(),
                        "flagtally.mirror.publish-to", "absent"),
                "has no topic absent",
                "flagtally.mirror.publish-to");
    }

    @Test
    void start_kafkaWithWrongCredentials_isRefusedNamingTheKey() {
        assertRefused(
                secured("wrong-password"),
                "Kafka at " + kafka.securedServers() + " refuses the credentials",
                "kafka.sasl.jaas.config");
    }

    @Test
    void start_kafka_opensAndLogsNothingOfOtherBrokersAndOfNoDeadLetters() throws IOException {
        try (ServiceProcess service =
                start(secured(KafkaServerForTests.PASSWORD)).ready()) {
            String log = linesOf(service);

            assertTrue(log.contains("kafka-producer-events-out"), log);
            assertFalse(log.contains("kafka-producer-dead-letters-out"), log);
            assertFalse(log.contains("mirror-out"), log);
            assertSilent(log, "rabbit", "amqp", "sqs", "redis-streams", "azure", "pubsub", "google", "grpc");
            int secured = portOf(kafka.securedServers());
            assertEquals(Set.of(secured, postgres.port(), counts.port()), remotePorts(service));
        }
    }

    @Test
    void start_redisThatIsNoCluster_isRefusedByTheTopology() {
        assertRefused(
                Map.of("quarkus.profile", "redis", "flagtally.redis.topology", "cluster"),
                counts.url(),
                "is no cluster",
                "flagtally.redis.topology");
    }

    @Test
    @Tag("installed-servers")
    void start_redisOfAClusterTakenForOneServer_isRefusedByTheTopology() {
        try (InstalledCluster cluster = InstalledCluster.start()) {
            String url = cluster.urls().split(",", -1)[0];
            assertRefused(
                    Map.of("quarkus.profile", "redis", "flagtally.redis-streams.url", url),
                    url,
                    "is a node of a cluster",
                    "flagtally.redis.topology");
        }
    }

    @Test
    void start_redisThatCannotSayWhatItsDiskHas_isRefusedByTheDurability() {
        assertRefused(
                Map.of("quarkus.profile", "redis", "flagtally.redis.durability", "fsync"),
                "flagtally.redis.durability is fsync",
                "Redis 7.2");
    }

    @Test
    void start_inProcess_opensAndLogsNothingOfAnyBroker() throws IOException {
        try (ServiceProcess service = start(Map.of()).ready()) {
            String log = linesOf(service);

            assertSilent(log, "kafka", "rabbit", "amqp", "sqs", "redis-streams", "azure", "pubsub", "google", "grpc");
            assertSilent(log, "mirror-out", "dead-letters-out");
            assertSilent(service.get("/q/health").body(), "kafka", "rabbit", "amqp", "sqs", "messaging");
            assertEquals(Set.of(postgres.port(), counts.port()), remotePorts(service));
        }
    }

    private Map<String, String> secured(String password) {
        return Map.of(
                "quarkus.profile", "kafka",
                "kafka.bootstrap.servers", kafka.securedServers(),
                "kafka.security.protocol", "SASL_PLAINTEXT",
                "kafka.sasl.mechanism", "PLAIN",
                "kafka.sasl.jaas.config",
                        "org.apache.kafka.common.security.plain.PlainLoginModule required username=\""
                                + KafkaServerForTests.USER + "\" password=\"" + password + "\";");
    }

    private ServiceProcess.Start start(Map<String, String> settings) {
        ServiceProcess.Start start = ServiceProcess.in(TestData.newDirectory("start"))
                .with("-Xmx256m")
                .with("-Dquarkus.http.host=127.0.0.1")
                .with("-Dflagtally.postgres.url=postgresql://127.0.0.1:" + postgres.port() + "/postgres")
                .with("-Dflagtally.redis.url=" + counts.url())
                .with("-Dflagtally.security.api-keys.test.key=test")
                .with("-Dflagtally.security.api-keys.test.roles=ADMIN");
        settings.forEach((name, value) -> start.with("-D" + name + "=" + value));
        return start;
    }

    /** One line has all the words, no stack trace hides it, and nothing was asked of a broker that is refused. */
    private void assertRefused(Map<String, String> settings, String... words) {
        try (ServiceProcess service = start(settings).launch()) {
            int code = service.exitCode();
            String log = service.log();
            assertNotEquals(0, code, log);
            assertTrue(
                    log.lines().anyMatch(line -> Stream.of(words).allMatch(line::contains)),
                    () -> List.of(words) + " not in\n" + log);
            assertFalse(log.contains("\tat "), log);
            assertFalse(log.contains("BrokerWatch"), log);
        }
    }

    private static void assertSilent(String text, String... words) {
        String lower = text.toLowerCase(Locale.ROOT);
        for (String word : words) {
            assertFalse(lower.contains(word), () -> word + " in\n" + text);
        }
    }

    /** Its log without the one line in which Quarkus lists all that is in the jar. */
    private static String linesOf(ServiceProcess service) {
        return service.log()
                .lines()
                .filter(line -> !line.contains("Installed features: ["))
                .collect(Collectors.joining("\n"));
    }

    private static int portOf(String hostAndPort) {
        return Integer.parseInt(hostAndPort.substring(hostAndPort.lastIndexOf(':') + 1));
    }

    /** The ports that the service has connected to, as Linux tells them; its own door is none of them. */
    private static Set<Integer> remotePorts(ServiceProcess service) throws IOException {
        Path process = Path.of("/proc", String.valueOf(service.pid()));
        Set<String> sockets;
        try (Stream<Path> files = Files.list(process.resolve("fd"))) {
            sockets = files.map(BrokerStartIT::target).collect(Collectors.toSet());
        }
        Set<Integer> ports = new TreeSet<>();
        for (String table : List.of("net/tcp", "net/tcp6")) {
            for (String line : Files.readAllLines(process.resolve(table))) {
                String[] columns = line.trim().split("\\s+", -1);
                if (columns[3].equals(ESTABLISHED)
                        && sockets.contains("socket:[" + columns[9] + "]")
                        && port(columns[1]) != service.port()) {
                    boolean unused = ports.add(port(columns[2]));
                }
            }
        }
        return ports;
    }

    private static int port(String address) {
        return Integer.parseInt(address.substring(address.indexOf(':') + 1), 16);
    }

    private static String target(Path link) {
        try {
            return Files.readSymbolicLink(link).toString();
        } catch (IOException closedMeanwhile) {
            return "";
        }
    }
}
