package io.flagtally.broker.rabbitmq;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import io.flagtally.broker.BrokerStartException;
import io.flagtally.broker.ConfirmedSends;
import io.flagtally.broker.LeasedMessage;
import io.flagtally.broker.OutgoingHeaders;
import io.flagtally.broker.PushedQueue;
import io.flagtally.platform.config.BrokerConfig;
import io.flagtally.platform.embedded.LoopbackPort;
import io.flagtally.platform.error.UnavailableException;
import io.flagtally.testing.RabbitServerForTests;
import io.flagtally.testing.TestConfigs;
import io.smallrye.mutiny.Uni;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.eclipse.microprofile.reactive.messaging.Metadata;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a real RabbitMQ refuses, and what it confirms. */
@Tag("installed-servers")
class RabbitServerIT {

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final RabbitServerForTests RABBIT = new RabbitServerForTests();
    private static final ExecutorService THREAD = Executors.newSingleThreadExecutor();

    @BeforeAll
    static void start() {
        RABBIT.start();
    }

    @AfterAll
    static void end() {
        THREAD.shutdown();
        RABBIT.close();
    }

    @Test
    void requireReachable_noAddress_namesTheKey() {
        RabbitServer server = new RabbitServer(
                TestConfigs.of(RabbitConfig.class, Map.of()), TestConfigs.of(BrokerConfig.class, Map.of()));

        refused(server, "flagtally.broker.rabbitmq.addresses");
    }

    @Test
    void requireReachable_wrongPassword_namesTheKeys() {
        refused(
                server("none", Map.of("password", "wrong")),
                "refuses the credentials",
                "flagtally.broker.rabbitmq.username and password");
    }

    @Test
    void requireReachable_noSuchVirtualHost_namesTheKey() {
        refused(server("none", Map.of("virtual-host", "/nowhere")), "flagtally.broker.rabbitmq.virtual-host");
    }

    @Test
    void requireReachable_queueOfAnotherKind_namesTheKeys() throws Exception {
        RabbitServer server = server("classic", Map.of());
        try (Connection connection = server.connect("test")) {
            var unused = connection.createChannel().queueDeclare("classic.flagtally", true, false, false, Map.of());
        }

        refused(server, "classic.flagtally", "publish-to, subscribe-to and dead-letter-to under flagtally.broker");
    }

    @Test
    void requireReachable_nobodyListens_isNoRefusal() {
        RabbitServer server = server("none", Map.of("addresses", "127.0.0.1:" + LoopbackPort.free()));

        IOException away = assertThrows(IOException.class, server::requireReachable);
        assertTrue(server.explain(away).contains("flagtally.broker.rabbitmq.addresses"), server.explain(away));
    }

    @Test
    void requireReachable_makesWhatIsPublishedToAndItsQueue() throws Exception {
        RabbitServer server = server("made", Map.of());

        server.requireReachable();

        assertEquals(0, RABBIT.messages("made.flagtally"));
        assertEquals(0, RABBIT.messages("made-letters"));
    }

    @Test
    void send_noQueueIsBound_isRefusedThoughRabbitConfirms() {
        try (ConfirmedSends bound = new ConfirmedSends(new RabbitSends(server("sent", Map.of()), "sent", THREAD));
                ConfirmedSends unbound =
                        new ConfirmedSends(new RabbitSends(server("sent", Map.of()), "sent-nowhere", THREAD))) {
            send(bound);
            UnavailableException refused = assertThrows(UnavailableException.class, () -> send(unbound));

            assertTrue(String.valueOf(refused.getMessage()).contains("no queue"), refused.getMessage());
            assertEquals(1, RABBIT.messages("sent.flagtally"));
        }
    }

    @Test
    void send_rabbitIsShortOfMemory_isRefusedAndTakenAgainAfterwards() {
        RabbitSends opener = new RabbitSends(server("blocked", Map.of()), "blocked", THREAD);
        try (ConfirmedSends sends = new ConfirmedSends(opener)) {
            send(sends);
            RABBIT.memoryIsFull(true);
            // Told to those who publish, with what they publish next; it is confirmed when there is memory again.
            var waiting = sends.send(message()).subscribeAsCompletionStage();
            await().atMost(PATIENCE).until(() -> opener.blocked() != null);

            UnavailableException refused = assertThrows(UnavailableException.class, () -> send(sends));
            RABBIT.memoryIsFull(false);
            await().atMost(PATIENCE).until(() -> opener.blocked() == null && waiting.isDone());

            assertTrue(String.valueOf(refused.getMessage()).contains("takes no messages"), refused.getMessage());
            send(sends);
            assertEquals(3, RABBIT.messages("blocked.flagtally"));
        }
    }

    @Test
    void receive_queueIsDeleted_makesItAgain() throws Exception {
        RabbitServer server = server("deleted", Map.of());
        PushedQueue queue = new PushedQueue("the queue", new RabbitDeliveries(server, 10, THREAD));
        try (AutoCloseable closing = () -> end(queue);
                ConfirmedSends sends = new ConfirmedSends(new RabbitSends(server, "deleted", THREAD))) {
            assertEquals(List.of(), receive(queue));
            try (Connection connection = server.connect("test")) {
                var unused = connection.createChannel().queueDelete("deleted.flagtally");
            }
            await().atMost(PATIENCE).until(() -> {
                try {
                    return receive(queue).isEmpty();
                } catch (IllegalStateException lost) {
                    return false;
                }
            });
            send(sends);

            List<LeasedMessage> received = receive(queue);
            assertEquals(1, received.size());
            queue.acknowledge(List.of(received.get(0).lease())).await().atMost(PATIENCE);
            await().atMost(PATIENCE).until(() -> RABBIT.messages("deleted.flagtally") == 0);
        }
    }

    /** As after an update to RabbitMQ 4, which limits deliveries of a queue that does not say otherwise. */
    @Test
    void requireReachable_serverLimitsDeliveries_makesQueuesWithoutALimitAndTakesOldOnes() throws Exception {
        RabbitServer limiting = limiting("limited");
        try (Connection connection = limiting.connect("test")) {
            var unused = connection
                    .createChannel()
                    .queueDeclare("limited.flagtally", true, false, false, Map.of("x-queue-type", "quorum"));
        }

        limiting.requireReachable();
        limiting.requireReachable();

        assertEquals(0, RABBIT.messages("limited.flagtally"));
        Map<String, Object> unlimited = Map.of("x-queue-type", "quorum", "x-delivery-limit", -1);
        try (Connection connection = limiting.connect("test")) {
            var same = connection.createChannel().queueDeclare("limited-letters", true, false, false, unlimited);
            Channel other = connection.createChannel();
            IOException old = assertThrows(
                    IOException.class, () -> other.queueDeclare("limited.flagtally", true, false, false, unlimited));
            assertTrue(String.valueOf(old.getCause()).contains("PRECONDITION_FAILED"), old::toString);
        }
    }

    @Test
    void limitsDeliveries_ofThisServer_isNotSo() throws Exception {
        RabbitServer server = server("none", Map.of());
        try (Connection connection = server.connect("test")) {
            assertFalse(server.limitsDeliveries(connection.getServerProperties()));
        }
    }

    private static void end(PushedQueue queue) {
        Uni.createFrom().completionStage(queue.close()).await().atMost(PATIENCE);
    }

    private static List<LeasedMessage> receive(PushedQueue queue) {
        return queue.receive(10)
                .onFailure(IOException.class)
                .transform(IllegalStateException::new)
                .await()
                .atMost(PATIENCE);
    }

    private static void send(ConfirmedSends sends) {
        sends.send(message()).await().atMost(PATIENCE);
    }

    private static Message<byte[]> message() {
        return Message.of(new byte[] {1}, Metadata.of(new OutgoingHeaders(Map.of("a", "b"), null)));
    }

    private static void refused(RabbitServer server, String... words) {
        String sentence = String.valueOf(assertThrows(BrokerStartException.class, server::requireReachable)
                .getMessage());
        for (String word : words) {
            assertTrue(sentence.contains(word), sentence);
        }
    }

    private static RabbitServer limiting(String place) {
        return new RabbitServer(
                TestConfigs.of(RabbitConfig.class, keys(Map.of())), TestConfigs.of(BrokerConfig.class, places(place))) {
            @Override
            boolean limitsDeliveries(Map<String, Object> serverProperties) {
                return true;
            }
        };
    }

    private static RabbitServer server(String place, Map<String, String> more) {
        return new RabbitServer(
                TestConfigs.of(RabbitConfig.class, keys(more)), TestConfigs.of(BrokerConfig.class, places(place)));
    }

    private static Map<String, String> keys(Map<String, String> more) {
        Map<String, String> keys = new HashMap<>();
        keys.put("flagtally.broker.rabbitmq.addresses", "127.0.0.1:" + RABBIT.port());
        more.forEach((key, value) -> keys.put("flagtally.broker.rabbitmq." + key, value));
        return keys;
    }

    private static Map<String, String> places(String place) {
        return Map.of(
                "flagtally.broker.publish-to", place,
                "flagtally.broker.subscribe-to", place,
                "flagtally.broker.dead-letter-to", place + "-letters");
    }
}
