package io.flagtally.broker.kafka;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.broker.BrokerPlace;
import io.flagtally.broker.BrokerStartException;
import io.flagtally.platform.config.BrokerConfig;
import io.flagtally.proof.FaultProxy;
import io.flagtally.testing.ChildServer;
import io.flagtally.testing.KafkaServerForTests;
import io.flagtally.testing.TestConfigs;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What a real Kafka tells of itself, and of what it delivered before. */
class KafkaBrokerTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String GROUP = "counts";

    private static final KafkaServerForTests KAFKA = new KafkaServerForTests(ChildServer.STARTS_QUICKLY);
    private static final FaultProxy PROXY = FaultProxy.to(KAFKA.port());
    private static final List<KafkaAdmin> ADMINS = new ArrayList<>();

    /** Its clients tell all their settings each time. */
    private static final Logger CLIENTS = Logger.getLogger("org.apache.kafka");

    static {
        CLIENTS.setLevel(Level.SEVERE);
    }

    private static Admin operator;

    @BeforeAll
    static void start() {
        KAFKA.start(PROXY.port());
        operator = Admin.create(Map.of("bootstrap.servers", KAFKA.directServers()));
        get(operator.createTopics(List.of(
                        new NewTopic("events", 1, (short) 1),
                        new NewTopic("deleted", 1, (short) 1),
                        new NewTopic("marked", 1, (short) 1)))
                .all());
    }

    @AfterAll
    static void end() {
        ADMINS.forEach(KafkaAdmin::close);
        operator.close(Duration.ZERO);
        PROXY.close();
        KAFKA.close();
    }

    @Test
    void check_userWithoutRightsToTheMarks_namesTheirGroup() {
        grant(ResourceType.TOPIC, "events", AclOperation.ALL);
        grant(ResourceType.GROUP, GROUP, AclOperation.READ);
        KafkaBroker broker = broker(limited(), "events");

        await().atMost(PATIENCE).until(() -> sentence(broker).contains("the group counts.delivered, "));
        assertTrue(sentence(broker).contains("flagtally.broker.consumer-group"));

        grant(ResourceType.GROUP, GROUP + ".delivered", AclOperation.READ);
        await().atMost(PATIENCE).until(() -> sentence(broker).isEmpty());
    }

    @Test
    void cannot_topicIsDeleted_namesItAndTheKey() {
        KafkaBroker broker = broker(direct(), "deleted");
        await().atMost(PATIENCE).until(() -> broker.cannotConsume().isEmpty());

        get(operator.deleteTopics(List.of("deleted")).all());

        await().atMost(PATIENCE)
                .until(() -> broker.cannotConsume()
                        .orElse("")
                        .contains("has no topic deleted; create it, or set " + "flagtally.broker.subscribe-to"));
        await().atMost(PATIENCE).until(() -> broker.cannotPublish().orElse("").contains("flagtally.broker.publish-to"));
    }

    /** Taken for delivered before, a backlog that is older than the window would go aside whole. */
    @Test
    void marks_kafkaAwayWhenAsked_areAskedForAgain() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        DeliveredMarks marks = new DeliveredMarks(
                kept(new KafkaAdmin(Map.of("bootstrap.servers", "127.0.0.1:" + PROXY.port())) {
                    @Override
                    Admin client() {
                        asked.incrementAndGet();
                        return super.client();
                    }
                }),
                TestConfigs.of(BrokerConfig.class, Map.of()),
                Duration.ofSeconds(1));
        TopicPartition partition = new TopicPartition("marked", 0);
        PROXY.refuse();
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(settings(), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(List.of(partition));

            CompletableFuture<Void> assigned =
                    CompletableFuture.runAsync(() -> marks.onPartitionsAssigned(consumer, List.of(partition)));
            await().atMost(PATIENCE).until(() -> asked.get() > 1);
            PROXY.pass();
            assigned.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } finally {
            PROXY.pass();
        }

        assertFalse(marks.passed(partition, 0), "nobody has seen it");
    }

    /** What the check says, whether it refuses the start or waits; nothing if all is well. */
    private static String sentence(KafkaBroker broker) {
        try {
            return broker.check(place("events")).orElse("");
        } catch (BrokerStartException refused) {
            return String.valueOf(refused.getMessage());
        }
    }

    private static KafkaBroker broker(Map<String, Object> kafka, String topic) {
        return new KafkaBroker(
                admin(kafka),
                TestConfigs.of(
                        BrokerConfig.class,
                        Map.of("flagtally.broker.publish-to", topic, "flagtally.broker.subscribe-to", topic)),
                new SmallRyeConfigBuilder()
                        .withSources(new PropertiesConfigSource(
                                Map.of("kafka.bootstrap.servers", String.valueOf(kafka.get("bootstrap.servers"))),
                                "test",
                                100))
                        .build());
    }

    private static KafkaAdmin admin(Map<String, Object> kafka) {
        return kept(new KafkaAdmin(kafka));
    }

    /** Is closed in the end. */
    private static KafkaAdmin kept(KafkaAdmin admin) {
        ADMINS.add(admin);
        return admin;
    }

    private static Map<String, Object> direct() {
        return Map.of("bootstrap.servers", KAFKA.directServers());
    }

    private static Map<String, Object> limited() {
        return Map.of(
                "bootstrap.servers",
                KAFKA.securedServers(),
                "security.protocol",
                "SASL_PLAINTEXT",
                "sasl.mechanism",
                "PLAIN",
                "sasl.jaas.config",
                "org.apache.kafka.common.security.plain.PlainLoginModule required username=\""
                        + KafkaServerForTests.LIMITED_USER + "\" password=\"" + KafkaServerForTests.PASSWORD + "\";");
    }

    private static Map<String, Object> settings() {
        Map<String, Object> settings = new HashMap<>(direct());
        settings.put("auto.offset.reset", "earliest");
        settings.put("enable.auto.commit", false);
        return settings;
    }

    private static BrokerPlace place(String topic) {
        return new BrokerPlace(
                Optional.of(topic), Optional.of(topic), Optional.of(GROUP), Optional.empty(), Optional.empty());
    }

    private static void grant(ResourceType type, String name, AclOperation operation) {
        get(operator.createAcls(List.of(new AclBinding(
                        new ResourcePattern(type, name, PatternType.LITERAL),
                        new AccessControlEntry(
                                "User:" + KafkaServerForTests.LIMITED_USER, "*", operation, AclPermissionType.ALLOW))))
                .all());
    }

    private static void get(KafkaFuture<?> answer) {
        Object unused = KafkaAdmin.get(answer, PATIENCE);
    }
}
