package io.flagtally.broker.gcp;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.broker.LeasedMessage;
import io.flagtally.broker.OutgoingHeaders;
import io.flagtally.testing.PubSubForTests;
import io.flagtally.testing.TestConfigs;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.eclipse.microprofile.reactive.messaging.Metadata;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The client of Pub/Sub against a stand-in over a real socket. */
class PubSubQueueTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration DEADLINE = Duration.ofSeconds(3);
    private static final Map<String, String> HEADERS = Map.of("content-type", "text/plain", "flagtally-events", "2");

    private static final PubSubForTests PUB_SUB = new PubSubForTests(false)
            .topic("sent", "sent")
            .topic("long", "long")
            .topic("large", "large")
            .topic("kept", "kept")
            .topic("given-back", "given-back")
            .topic("hopeless", "hopeless")
            .topic("undeliverable", "undeliverable")
            .deadLetters("kept", 100, "undeliverable")
            .deadLetters("hopeless", 5, "undeliverable")
            .orderedTopic("ordered", "ordered");

    private final GcpConfig config = config(Map.of());
    private final GcpClients clients = new GcpClients(config);
    private final GcpNames names = new GcpNames(config);

    @BeforeAll
    static void start() {
        var unused = PUB_SUB.start();
    }

    @AfterAll
    static void stop() {
        PUB_SUB.close();
    }

    @AfterEach
    void close() {
        clients.close();
    }

    @Test
    void receive_whatWasSent_bytesAndHeadersArrive() {
        send("sent", "one\ntwo ✓", null);

        LeasedMessage message = one("sent");

        assertEquals("one\ntwo ✓", text(message));
        assertEquals(HEADERS, message.headers());
        assertFalse(message.redelivered());
        queue("sent").acknowledge(List.of(message.lease())).await().atMost(PATIENCE);
        assertEquals(0, PUB_SUB.backlog("sent"));
    }

    @Test
    void send_headerLongerThanPubSubTakes_isCut() {
        send("long", "x", Map.of("flagtally-error-detail", "é".repeat(2000)), null);

        String detail = one("long").headers().getOrDefault("flagtally-error-detail", "");
        assertEquals("é".repeat(512), detail);
    }

    @Test
    void lease_extended_messageStays_notExtended_comesAgain() {
        send("kept", "x", null);
        LeasedMessage message = one("kept");

        for (int i = 0; i < 3; i++) {
            queue("kept").extend(List.of(message.lease())).await().atMost(PATIENCE);
            await().pollDelay(DEADLINE.dividedBy(2)).until(() -> true);
        }
        LeasedMessage again = one("kept");

        assertEquals(message.lease().replace("/1", "/2"), again.lease());
        assertTrue(again.redelivered());
    }

    @Test
    void giveBack_comesAgainAtOnce() {
        send("given-back", "x", null);
        PubSubQueue patient = new PubSubQueue(clients, names.subscription("given-back"), Duration.ofSeconds(600));

        patient.giveBack(List.of(one(patient).lease())).await().atMost(PATIENCE);

        assertFalse(one(patient).redelivered(), "Pub/Sub counts deliveries only with a dead-letter topic");
    }

    @Test
    void message_neverAcknowledged_goesToTheDeadLetterTopicOfTheSubscription() {
        send("hopeless", "x", null);
        PubSubQueue queue = queue("hopeless");

        for (int i = 0; i < 5; i++) {
            LeasedMessage message = one(queue);
            assertEquals(i > 0, message.redelivered());
            queue.giveBack(List.of(message.lease())).await().atMost(PATIENCE);
        }

        assertEquals(List.of(), queue.receive(1).await().atMost(PATIENCE));
        assertEquals("x", PUB_SUB.take("undeliverable").get(0).getData().toStringUtf8());
    }

    @Test
    void message_asLargeAsItMayBe_arrives() {
        String text = "x".repeat(PubSubTarget.PAYLOAD_BYTES_MAX);
        send("large", text, Map.of("flagtally-error-detail", "é".repeat(2000)), "a".repeat(2000));

        assertEquals(text, text(one("large")));
    }

    @Test
    void orderedTopic_getsTheKey() {
        send("ordered", "x", "anna");

        assertEquals("anna", PUB_SUB.take("ordered").get(0).getOrderingKey());
    }

    @Test
    void ordered_oneGivenBack_comesAgainWithAllLaterOnesOfItsKey() {
        PubSubQueue queue = queue("ordered");
        for (String text : List.of("1", "2", "3")) {
            send("ordered", text, "ben");
        }
        List<LeasedMessage> first = queue.receive(10).await().atMost(PATIENCE);
        assertEquals(List.of("1", "2", "3"), texts(first));

        queue.acknowledge(List.of(first.get(0).lease(), first.get(2).lease()))
                .await()
                .atMost(PATIENCE);
        queue.giveBack(List.of(first.get(1).lease())).await().atMost(PATIENCE);
        List<LeasedMessage> again = queue.receive(10).await().atMost(PATIENCE);

        assertEquals(List.of("2", "3"), texts(again));
        queue.acknowledge(again.stream().map(LeasedMessage::lease).toList())
                .await()
                .atMost(PATIENCE);
        assertEquals(0, PUB_SUB.backlog("ordered"));
    }

    private void send(String topic, String text, @Nullable String key) {
        send(topic, text, HEADERS, key);
    }

    private void send(String topic, String text, Map<String, String> headers, @Nullable String key) {
        byte[] payload = text.getBytes(StandardCharsets.UTF_8);
        new PubSubTarget(clients, names.topic(topic), key != null)
                .send(Message.of(payload, Metadata.of(new OutgoingHeaders(headers, key))))
                .await()
                .atMost(PATIENCE);
    }

    private LeasedMessage one(String subscription) {
        return one(queue(subscription));
    }

    private static LeasedMessage one(PubSubQueue queue) {
        List<LeasedMessage> received = new ArrayList<>();
        await().atMost(PATIENCE).until(() -> {
            received.addAll(queue.receive(1).await().atMost(PATIENCE));
            return !received.isEmpty();
        });
        return received.get(0);
    }

    private PubSubQueue queue(String name) {
        return new PubSubQueue(clients, names.subscription(name), DEADLINE);
    }

    private static List<String> texts(List<LeasedMessage> messages) {
        return messages.stream().map(PubSubQueueTest::text).toList();
    }

    private static String text(LeasedMessage message) {
        return new String(message.payload(), StandardCharsets.UTF_8);
    }

    private static GcpConfig config(Map<String, String> more) {
        Map<String, String> keys = new HashMap<>(Map.of(
                "flagtally.broker.gcp.project",
                PubSubForTests.PROJECT,
                "flagtally.broker.gcp.emulator-host",
                "127.0.0.1:" + PUB_SUB.port()));
        keys.putAll(more);
        return TestConfigs.of(GcpConfig.class, keys);
    }
}
