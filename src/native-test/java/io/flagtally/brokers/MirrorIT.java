package io.flagtally.brokers;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.packaged.ServiceProcess;
import io.flagtally.platform.embedded.LoopbackPort;
import io.flagtally.testing.ChildServer;
import io.flagtally.testing.KafkaServerForTests;
import io.flagtally.testing.PostgresServerForTests;
import io.flagtally.testing.RedisServerForTests;
import io.flagtally.testing.TestData;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * A migration without a stop: an old counter in process mirrors to the Kafka of a new one, each with stores of its own, and
 * the new one compares both. Its own mirror is another topic of the same Kafka.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class MirrorIT {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String KEY = "local";
    private static final String EVENTS = "new-events";
    private static final String FURTHER = "further-events";
    private static final int MIRROR_MESSAGES_MAX = 20;
    private static final Pattern ID = Pattern.compile("\"id\":\"([^\"]+)\"");

    private final KafkaServerForTests kafka = new KafkaServerForTests(ChildServer.STARTS_QUICKLY);
    private final PostgresServerForTests oldPostgres = PostgresServerForTests.start();
    private final PostgresServerForTests newPostgres = PostgresServerForTests.start();
    private final RedisServerForTests oldCounts = RedisServerForTests.start();
    private final RedisServerForTests newCounts = RedisServerForTests.start();
    private final int oldPort = LoopbackPort.free();
    private ServiceProcess old;
    private ServiceProcess successor;

    @BeforeAll
    void start() throws Exception {
        kafka.start(kafka.port());
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.directServers()))) {
            Void unused = admin.createTopics(
                            List.of(new NewTopic(EVENTS, 2, (short) 1), new NewTopic(FURTHER, 1, (short) 1)))
                    .all()
                    .get();
        }
        old = launchOld();
        successor = service(newPostgres, newCounts)
                .with("-Dquarkus.profile=kafka")
                .with("-Dkafka.bootstrap.servers=127.0.0.1:" + kafka.port())
                .with("-Dflagtally.broker.publish-to=" + EVENTS)
                .with("-Dflagtally.broker.subscribe-to=" + EVENTS)
                .with("-Dflagtally.mirror.publish-to=" + FURTHER)
                .with("-Dflagtally.reconcile.targets.old.url=http://127.0.0.1:" + oldPort)
                .with("-Dflagtally.reconcile.targets.old.key=" + KEY)
                .launch();
        old.awaitReady();
        successor.awaitReady();
    }

    @AfterAll
    void end() throws Exception {
        for (AutoCloseable each :
                new AutoCloseable[] {old, successor, kafka, oldCounts, newCounts, oldPostgres, newPostgres}) {
            if (each != null) {
                each.close();
            }
        }
    }

    @Test
    @Order(1)
    void mirror_fromInProcessToKafka_bothCountTheSame() {
        SentEvents events = new SentEvents("migrated");
        for (int i = 0; i < 15; i++) {
            register(old, events.request(40));
        }

        awaitCounted(600, old, events);
        awaitCounted(600, successor, events);
        await().atMost(PATIENCE).until(() -> undecided(old, 600) == 0);
        assertEquals(0, metric(old, "flagtally_ingest_mirror_dropped_total"));
        awaitReconciled("\"different\":0,\"differences\":[]");
    }

    @Test
    @Order(2)
    void mirror_onTheSameBroker_hasEveryEventToo() {
        SentEvents events = new SentEvents("mirrored-beside");
        for (int i = 0; i < 10; i++) {
            register(successor, events.request(20));
        }

        awaitCounted(200, successor, events);
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertEquals(new TreeSet<>(events.ids()), new TreeSet<>(idsIn(FURTHER))));
        assertEquals(0, metric(successor, "flagtally_ingest_mirror_dropped_total"));
    }

    /** The old counter also starts while its mirror is away. */
    @Test
    @Order(3)
    void mirror_away_noRequestFailsAndWhatIsDroppedIsCountedAndFound() {
        kafka.kill();
        old.stop();
        old = launchOld();
        old.awaitReady();
        SentEvents events = new SentEvents("while-away");
        int requests = 3 * MIRROR_MESSAGES_MAX;
        for (int i = 0; i < requests; i++) {
            register(old, events.request(10));
        }

        awaitCounted(10L * requests, old, events);
        assertEquals(200, old.get("/q/health/ready").statusCode());
        long dropped = metric(old, "flagtally_ingest_mirror_dropped_total");
        assertTrue(dropped >= 10L * (requests - MIRROR_MESSAGES_MAX), "dropped: " + dropped);

        kafka.restart();
        await().atMost(PATIENCE).until(() -> undecided(old, 10L * requests) == 0);
        long arrived = metric(old, "flagtally_ingest_mirror_sent_total");
        awaitCounted(arrived, successor, events);
        awaitReconciled("\"featureId\":\"while-away\",\"variationId\":\"on\"");
        awaitReconciled("\"here\":" + arrived + ",\"there\":" + 10L * requests);
    }

    /** Mirrored events of which it is not known yet whether the mirror has them. */
    private static long undecided(ServiceProcess service, long accepted) {
        return accepted
                - metric(service, "flagtally_ingest_mirror_sent_total")
                - metric(service, "flagtally_ingest_mirror_dropped_total");
    }

    private ServiceProcess launchOld() {
        String channel = "-Dmp.messaging.outgoing.mirror-out.";
        return service(oldPostgres, oldCounts)
                .port(oldPort)
                .with("-Dkafka.bootstrap.servers=127.0.0.1:" + kafka.port())
                .with("-Dflagtally.mirror.publish-to=" + EVENTS)
                .with("-Dflagtally.mirror.in-flight.messages-max=" + MIRROR_MESSAGES_MAX)
                .with(channel + "connector=smallrye-kafka")
                .with(channel + "topic=" + EVENTS)
                .with(channel + "key.serializer=org.apache.kafka.common.serialization.StringSerializer")
                .with(channel + "value.serializer=org.apache.kafka.common.serialization.ByteArraySerializer")
                .launch();
    }

    private static ServiceProcess.Start service(PostgresServerForTests postgres, RedisServerForTests counts) {
        return ServiceProcess.in(TestData.newDirectory("mirror"))
                .with("-Xmx256m")
                .with("-Dquarkus.http.host=127.0.0.1")
                .with("-Dflagtally.redis.url=" + counts.url())
                .with("-Dflagtally.postgres.url=postgresql://127.0.0.1:" + postgres.port() + "/postgres")
                .with("-Dflagtally.security.api-keys.test.key=" + KEY)
                .with("-Dflagtally.security.api-keys.test.roles=SDK_SERVER,READ_ONLY,ADMIN");
    }

    /** All messages of a topic from its beginning. */
    private Set<String> idsIn(String topic) {
        Map<String, Object> settings = Map.of("bootstrap.servers", kafka.directServers());
        Set<String> ids = new TreeSet<>();
        try (KafkaConsumer<String, byte[]> consumer =
                new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = new ArrayList<>();
            consumer.partitionsFor(topic).forEach(each -> partitions.add(new TopicPartition(topic, each.partition())));
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(each -> consumer.position(each) < ends.getOrDefault(each, 0L))) {
                consumer.poll(Duration.ofMillis(200))
                        .forEach(record -> ID.matcher(new String(record.value(), StandardCharsets.UTF_8))
                                .results()
                                .forEach(found -> ids.add(found.group(1))));
            }
        }
        return ids;
    }

    /** What the new counter says of the old one; a moment after both have counted, since reads may be a second old. */
    private void awaitReconciled(String words) {
        String path = "/v1/reconcile?from=" + LocalDate.now(ZoneOffset.UTC).minusDays(1) + "&against=http://127.0.0.1:"
                + oldPort;
        await().atMost(PATIENCE).untilAsserted(() -> {
            String answer = get(successor, path).body();
            assertTrue(answer.contains(words), answer);
        });
    }

    private static void awaitCounted(long expected, ServiceProcess service, SentEvents events) {
        String path = "/v1/evaluation_series?featureId=" + events.flag() + "&from="
                + LocalDate.now(ZoneOffset.UTC).minusDays(1);
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertEquals(
                        expected, BrokeredService.sum(get(service, path).body()), service::log));
    }

    private static long metric(ServiceProcess service, String name) {
        return Math.round(service.get("/q/metrics")
                .body()
                .lines()
                .filter(line -> line.startsWith(name))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum());
    }

    private static void register(ServiceProcess service, String request) {
        HttpResponse<String> answer = service.send(HttpRequest.newBuilder(service.uri("/register_events"))
                .header("authorization", KEY)
                .header("content-type", "application/json")
                .POST(BodyPublishers.ofString(request)));
        assertEquals(200, answer.statusCode(), answer.body());
    }

    private static HttpResponse<String> get(ServiceProcess service, String path) {
        return service.send(HttpRequest.newBuilder(service.uri(path)).header("authorization", KEY));
    }
}
