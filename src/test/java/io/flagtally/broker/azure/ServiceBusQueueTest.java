package io.flagtally.broker.azure;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.broker.BrokerPlace;
import io.flagtally.broker.BrokerStartException;
import io.flagtally.broker.ConfirmedSends;
import io.flagtally.broker.LeasedMessage;
import io.flagtally.broker.OutgoingHeaders;
import io.flagtally.broker.PushedQueue;
import io.flagtally.platform.config.BrokerConfig;
import io.flagtally.platform.embedded.LoopbackPort;
import io.flagtally.platform.error.UnavailableException;
import io.flagtally.testing.ServiceBusForTests;
import io.flagtally.testing.ServiceBusForTests.Kept;
import io.flagtally.testing.TestConfigs;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.eclipse.microprofile.reactive.messaging.Metadata;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The connector of Service Bus against a stand-in over a real socket. */
class ServiceBusQueueTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration LOCK = Duration.ofSeconds(3);
    private static final int PREFETCH = 5;
    private static final String CONNECTION_STRING = "flagtally.broker.azure.connection-string";
    private static final Map<String, String> HEADERS = Map.of("content-type", "text/plain", "flagtally-events", "2");
    private static final Vertx VERTX = Vertx.vertx();

    private static final ServiceBusForTests SERVICE_BUS = new ServiceBusForTests(false, LOCK)
            .queue("sent")
            .queue("many")
            .queue("aside")
            .queue("kept")
            .queue("taken-over")
            .queue("given-back")
            .queue("large")
            .queue("closed")
            .topic("topic", "one", "other");

    private final List<AutoCloseable> opened = new ArrayList<>();

    @BeforeAll
    static void start() {
        var unused = SERVICE_BUS.start();
    }

    @AfterAll
    static void stop() {
        SERVICE_BUS.close();
        VERTX.close().toCompletionStage().toCompletableFuture().join();
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : opened) {
            each.close();
        }
    }

    @Test
    void receive_whatWasSent_bytesAndHeadersArrive() {
        send("sent", "one\ntwo ✓", HEADERS);
        PushedQueue queue = queue("sent");

        LeasedMessage message = one(queue);

        assertEquals("one\ntwo ✓", text(message));
        assertEquals(HEADERS, message.headers());
        assertFalse(message.redelivered());
        acknowledge(queue, message);
        assertEquals(0, SERVICE_BUS.backlog("sent"));
    }

    @Test
    void receive_notSettled_holdsNoMoreThanPrefetch() {
        for (int i = 0; i < 30; i++) {
            SERVICE_BUS.publish("many", kept("x"));
        }
        PushedQueue queue = queue("many");

        LeasedMessage first = one(queue);
        await().atMost(PATIENCE).until(() -> queue.held() == PREFETCH);
        acknowledge(queue, first);
        await().atMost(PATIENCE).until(() -> queue.held() == PREFETCH);

        assertEquals(29 - PREFETCH, SERVICE_BUS.take("many").size());
    }

    @Test
    void topic_everySubscriptionGetsIt() {
        send("topic", "x", HEADERS);

        assertEquals("x", text(one(queue(ServiceBusForTests.subscription("topic", "one")))));
        assertEquals("x", text(one(queue(ServiceBusForTests.subscription("topic", "other")))));
    }

    @Test
    void deadLetter_hasTheReasonThatAzureShows() {
        send("aside", "x", Map.of("flagtally-error-code", "MALFORMED", "flagtally-error-detail", "no event"));

        Map<String, String> headers = SERVICE_BUS.take("aside").get(0).headers();

        assertEquals("MALFORMED", headers.get("DeadLetterReason"));
        assertEquals("no event", headers.get("DeadLetterErrorDescription"));
    }

    @Test
    void lock_whileAMessageIsWorkedOn_isRenewed() {
        SERVICE_BUS.publish("kept", kept("x"));
        PushedQueue queue = queue("kept");
        LeasedMessage message = one(queue);

        long before = SERVICE_BUS.renewals();
        await().atMost(PATIENCE).until(() -> SERVICE_BUS.renewals() >= before + 6);

        assertEquals(1, SERVICE_BUS.deliveries("kept"), "six thirds of its lock have gone by");
        acknowledge(queue, message);
        assertEquals(0, SERVICE_BUS.backlog("kept"));
    }

    @Test
    void lock_lost_othersAreRenewedAndTheMessageComesAgain() {
        SERVICE_BUS.publish("taken-over", kept("first"));
        SERVICE_BUS.publish("taken-over", kept("second"));
        PushedQueue queue = queue("taken-over");
        LeasedMessage first = one(queue);
        LeasedMessage second = one(queue);

        SERVICE_BUS.endLock("taken-over", text(first));
        LeasedMessage again = one(queue);
        long before = SERVICE_BUS.renewals();
        await().atMost(PATIENCE).until(() -> SERVICE_BUS.renewals() >= before + 6);

        assertEquals("first", text(again));
        assertTrue(again.redelivered());
        assertEquals(3, SERVICE_BUS.deliveries("taken-over"), "nothing else came again");
        acknowledge(queue, first);
        assertEquals(2, SERVICE_BUS.backlog("taken-over"), "the old lock is worth nothing");
        acknowledge(queue, second);
        acknowledge(queue, again);
        assertEquals(0, SERVICE_BUS.backlog("taken-over"));
    }

    @Test
    void giveBack_comesAgainAtOnce() {
        SERVICE_BUS.publish("given-back", kept("x"));
        PushedQueue queue = queue("given-back");

        queue.giveBack(List.of(one(queue).lease())).await().atMost(PATIENCE);

        assertTrue(one(queue).redelivered());
    }

    @Test
    void close_givesBackWhatIsLocked() {
        SERVICE_BUS.publish("closed", kept("x"));
        PushedQueue queue = queue("closed");
        assertEquals("x", text(one(queue)));

        end(queue);

        assertEquals(1, SERVICE_BUS.take("closed").size(), "it was given back when the queue was closed");
    }

    @Test
    void connection_lost_isMadeAgainAndLocksAreNot() {
        ServiceBusForTests restarting =
                new ServiceBusForTests(false, LOCK).queue("restarted").start();
        try (restarting) {
            restarting.publish("restarted", kept("x"));
            PushedQueue queue = queue("restarted", restarting);
            LeasedMessage message = one(queue);

            restarting.stop();
            var unused = restarting.start();
            LeasedMessage again = one(queue);
            acknowledge(queue, message);

            assertTrue(again.redelivered());
            assertEquals(1, restarting.backlog("restarted"), "the old lock is worth nothing");
            acknowledge(queue, again);
            assertEquals(0, restarting.backlog("restarted"));
        }
    }

    @Test
    void harsh_refusedCutAndDetached_everythingArrives() {
        ServiceBusForTests harsh =
                new ServiceBusForTests(true, LOCK).queue("harsh").start();
        try (harsh) {
            ConfirmedSends sends = sends("harsh", harsh);
            for (int i = 0; i < 40; i++) {
                String text = "message " + i;
                await().atMost(PATIENCE).until(() -> isSent(sends, text));
            }
            PushedQueue queue = queue("harsh", harsh);
            Map<String, Integer> arrived = new HashMap<>();
            await().atMost(PATIENCE).until(() -> {
                List<LeasedMessage> received = receive(queue);
                received.forEach(message -> arrived.merge(text(message), 1, Integer::sum));
                queue.acknowledge(received.stream().map(LeasedMessage::lease).toList())
                        .await()
                        .atMost(PATIENCE);
                return harsh.backlog("harsh") == 0;
            });

            assertEquals(40, arrived.size());
            assertTrue(arrived.values().stream().anyMatch(times -> times > 1), "it cut after taking a message");
            assertTrue(harsh.refused() > 0, "it refused none");
        }
    }

    @Test
    void idle_linkIsDetached_nobodyHearsOfIt() {
        ServiceBusForTests harsh =
                new ServiceBusForTests(true, LOCK).queue("idle").start();
        try (harsh) {
            PushedQueue queue = queue("idle", harsh);
            assertEquals(List.of(), queue.receive(1).await().atMost(PATIENCE), "it has connected");

            assertEquals(List.of(), queue.receive(1).await().atMost(PATIENCE), "it was detached");
            assertEquals(List.of(), queue.receive(1).await().atMost(PATIENCE), "it has connected again");
            harsh.publish("idle", kept("x"));

            assertEquals("x", text(one(queue)));
        }
    }

    @Test
    void send_tooLarge_isRefusedWithTheKeyToSet() {
        UnavailableException refused = assertThrows(
                UnavailableException.class, () -> send("large", "x".repeat(ServiceBusForTests.BYTES_MAX + 1), HEADERS));

        assertTrue(
                String.valueOf(refused.getMessage()).contains("flagtally.broker.message.bytes-max"),
                refused::getMessage);
    }

    @Test
    void check_allThere_isSilent() {
        AzureBroker broker = broker(settings(SERVICE_BUS), Map.of());

        assertEquals(Optional.empty(), broker.check(place("topic", "sent", "aside")));
    }

    @Test
    void cannot_asksForTheSideThatIsUsed() {
        AzureBroker broker = broker(
                settings(SERVICE_BUS),
                Map.of("flagtally.broker.publish-to", "nowhere", "flagtally.broker.subscribe-to", "sent"));

        assertTrue(broker.cannotPublish().orElseThrow().contains("nowhere"));
        assertEquals(Optional.empty(), broker.cannotConsume());
        assertEquals(Optional.empty(), broker.cannotConsume(), "asked again over the same connection");
    }

    @Test
    void check_missing_namesTheKey() {
        Map<String, String> settings = settings(SERVICE_BUS);

        assertRefused("flagtally.broker.subscribe-to", settings, place("sent", "nowhere", "sent"));
        assertRefused("flagtally.broker.publish-to", settings, place("nowhere", "sent", "sent"));
        assertRefused("flagtally.broker.dead-letter-to", settings, place("sent", "sent", "nowhere"));
    }

    @Test
    void check_wrongKeyOrString_namesTheKey() {
        BrokerPlace place = place("sent", "sent", "sent");

        assertRefused("set " + CONNECTION_STRING, Map.of(), place);
        assertRefused(CONNECTION_STRING + " has no SharedAccessKeyName", connecting("Endpoint=sb://127.0.0.1/"), place);
        assertRefused(
                CONNECTION_STRING + " has no Endpoint", connecting("SharedAccessKeyName=a;SharedAccessKey=b"), place);
        assertRefused(
                CONNECTION_STRING + " has the Endpoint",
                connecting("Endpoint=here;SharedAccessKeyName=a;SharedAccessKey=b"),
                place);
        assertRefused(
                "correct SharedAccessKeyName and SharedAccessKey in " + CONNECTION_STRING,
                connecting(ServiceBusForTests.connectionString(SERVICE_BUS.port(), "d3Jvbmc=")),
                place);
    }

    @Test
    void check_lockThatServiceBusDoesNotGive_namesTheKey() {
        Map<String, String> settings = new HashMap<>(settings(SERVICE_BUS));
        settings.put("flagtally.broker.azure.lock-duration", "6M");

        assertRefused("flagtally.broker.azure.lock-duration", settings, place("sent", "sent", "sent"));
    }

    @Test
    void check_messagesLargerThanItTakes_namesTheKey() {
        AzureBroker broker = broker(
                settings(SERVICE_BUS),
                Map.of("flagtally.broker.message.bytes-max", "" + (ServiceBusForTests.BYTES_MAX + 1)));

        BrokerStartException refused =
                assertThrows(BrokerStartException.class, () -> broker.check(place("sent", "sent", "sent")));

        assertTrue(
                String.valueOf(refused.getMessage()).contains("flagtally.broker.message.bytes-max"),
                refused::getMessage);
    }

    @Test
    void check_nobodyAnswers_isWaitedFor() {
        AzureBroker broker = broker(
                connecting(ServiceBusForTests.connectionString(LoopbackPort.free(), ServiceBusForTests.KEY)), Map.of());

        String sentence = broker.check(place("sent", "sent", "sent")).orElseThrow();

        assertTrue(sentence.contains("cannot be used for sent"), sentence);
        assertTrue(broker.cannotPublish().isPresent());
    }

    @Test
    void endpoint_asAzureShowsIt_isTlsAndHidesTheKey() {
        AzureEndpoint endpoint = AzureEndpoint.of(azure(connecting(
                "Endpoint=sb://shop.servicebus.windows.net/;SharedAccessKeyName=flagtally;SharedAccessKey=abc+/=;"
                        + "EntityPath=events")));

        assertEquals(new AzureEndpoint("shop.servicebus.windows.net", 5671, true, "flagtally", "abc+/="), endpoint);
        assertFalse(endpoint.toString().contains("abc"));
    }

    @Test
    void lockToken_isReadAsDotNetWritesIt() {
        byte[] tag = {0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, -120, -103, -86, -69, -52, -35, -18, -1};

        assertEquals("00112233-4455-6677-8899-aabbccddeeff", LockTokens.text(tag));
    }

    private static void assertRefused(String part, Map<String, String> settings, BrokerPlace place) {
        BrokerStartException refused = assertThrows(
                BrokerStartException.class, () -> broker(settings, Map.of()).check(place));
        assertTrue(String.valueOf(refused.getMessage()).contains(part), refused::getMessage);
    }

    private static BrokerPlace place(String publish, String subscribe, String dead) {
        return new BrokerPlace(
                Optional.of(publish),
                Optional.of(subscribe),
                Optional.of("group"),
                Optional.of(dead),
                Optional.empty());
    }

    private static AzureBroker broker(Map<String, String> settings, Map<String, String> more) {
        Map<String, String> places = new HashMap<>(Map.of("flagtally.broker.message.bytes-max", "240000"));
        places.putAll(more);
        return new AzureBroker(server(settings), TestConfigs.of(BrokerConfig.class, places));
    }

    private void send(String entity, String text, Map<String, String> headers) {
        Void unused =
                sends(entity, SERVICE_BUS).send(message(text, headers)).await().atMost(PATIENCE);
    }

    private static boolean isSent(ConfirmedSends sends, String text) {
        try {
            Void unused = sends.send(message(text, HEADERS)).await().atMost(PATIENCE);
            return true;
        } catch (UnavailableException again) {
            return false;
        }
    }

    private static Message<byte[]> message(String text, Map<String, String> headers) {
        return Message.of(text.getBytes(StandardCharsets.UTF_8), Metadata.of(new OutgoingHeaders(headers, null)));
    }

    private ConfirmedSends sends(String entity, ServiceBusForTests to) {
        ConfirmedSends sends = new ConfirmedSends(new AzureSends(server(settings(to)), entity));
        opened.add(sends);
        return sends;
    }

    private PushedQueue queue(String entity) {
        return queue(entity, SERVICE_BUS);
    }

    private PushedQueue queue(String entity, ServiceBusForTests of) {
        PushedQueue queue = new PushedQueue(entity, new AzureDeliveries(server(settings(of)), entity));
        opened.add(() -> end(queue));
        return queue;
    }

    private static void end(PushedQueue queue) {
        Void unused = Uni.createFrom().completionStage(queue.close()).await().atMost(PATIENCE);
    }

    private static LeasedMessage one(PushedQueue queue) {
        List<LeasedMessage> received = new ArrayList<>();
        await().atMost(PATIENCE).until(() -> {
            received.addAll(receive(queue));
            return !received.isEmpty();
        });
        return received.get(0);
    }

    /** One message or none; none also if the connection was lost. */
    private static List<LeasedMessage> receive(PushedQueue queue) {
        return queue.receive(1)
                .onFailure(AzureException.class)
                .recoverWithItem(List.of())
                .await()
                .atMost(PATIENCE);
    }

    private static void acknowledge(PushedQueue queue, LeasedMessage message) {
        Void unused = queue.acknowledge(List.of(message.lease())).await().atMost(PATIENCE);
    }

    private static Kept kept(String text) {
        return new Kept(text.getBytes(StandardCharsets.UTF_8), HEADERS);
    }

    private static String text(LeasedMessage message) {
        return new String(message.payload(), StandardCharsets.UTF_8);
    }

    private static AzureServer server(Map<String, String> settings) {
        AzureConfig config = azure(settings);
        return new AzureServer(VERTX, config, new AzureIdentity(VERTX, config, InstantSource.system()));
    }

    private static AzureConfig azure(Map<String, String> settings) {
        return TestConfigs.of(AzureConfig.class, settings);
    }

    private static Map<String, String> settings(ServiceBusForTests of) {
        return connecting(ServiceBusForTests.connectionString(of.port(), ServiceBusForTests.KEY));
    }

    private static Map<String, String> connecting(String connectionString) {
        return Map.of(
                CONNECTION_STRING,
                connectionString,
                "flagtally.broker.azure.lock-duration",
                LOCK.toString(),
                "flagtally.broker.azure.prefetch",
                "" + PREFETCH);
    }
}
