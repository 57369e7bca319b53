package io.flagtally.broker.aws;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.broker.BrokerPlace;
import io.flagtally.broker.BrokerStartException;
import io.flagtally.broker.LeasedMessage;
import io.flagtally.broker.OutgoingHeaders;
import io.flagtally.platform.config.BrokerConfig;
import io.flagtally.platform.embedded.LoopbackPort;
import io.flagtally.testing.ElasticMqServerForTests;
import io.flagtally.testing.SnsForTests;
import io.flagtally.testing.SnsForTests.Subscription;
import io.flagtally.testing.TestConfigs;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.eclipse.microprofile.reactive.messaging.Metadata;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.sqs.SqsAsyncClient;
import software.amazon.awssdk.services.sqs.model.MessageAttributeValue;
import software.amazon.awssdk.services.sqs.model.QueueAttributeName;

/** SQS against a real ElasticMQ, SNS against a stand-in. */
class SqsQueueTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration VISIBILITY = Duration.ofSeconds(3);
    private static final Map<String, String> HEADERS = Map.of("content-type", "text/plain", "flagtally-events", "2");

    private static final ElasticMqServerForTests SQS = ElasticMqServerForTests.with(
            "direct",
            "kept",
            "given-back",
            "bytes",
            "enveloped",
            "raw",
            "ordered.fifo",
            "counted",
            "empty",
            "foreign",
            "limited",
            "too-often");
    private static final SnsForTests SNS =
            new SnsForTests(SQS, new Subscription("enveloped", false), new Subscription("raw", true));

    private final AwsClients clients = new AwsClients(config(SQS.port()));

    @BeforeAll
    static void start() {
        System.setProperty("aws.accessKeyId", "tests");
        System.setProperty("aws.secretAccessKey", "secret");
        var unused = SQS.start();
        var unusedToo = SNS.start();
    }

    @AfterAll
    static void stop() {
        SNS.close();
        SQS.close();
        System.clearProperty("aws.accessKeyId");
        System.clearProperty("aws.secretAccessKey");
    }

    @AfterEach
    void close() {
        clients.close();
    }

    @Test
    void receive_whatWasSent_bytesAndHeadersArrive() {
        send("direct", "one\ntwo ✓", null);

        LeasedMessage message = one("direct");

        assertEquals("one\ntwo ✓", text(message));
        assertEquals(HEADERS, message.headers());
        assertFalse(message.redelivered());
    }

    @Test
    void receive_bytesThatAreNoTextForAws_arriveUnchanged() {
        byte[] bytes = {'{', (byte) 0xff, 0, (byte) 0xef, (byte) 0xbf, (byte) 0xbe, '}'};
        send("bytes", bytes, null);

        assertArrayEquals(bytes, one("bytes").payload());
    }

    @Test
    void receive_bodyThatIsNotWhatItsHeaderSays_comesAsItIsBesideTheOthers() {
        send("foreign", "before", null);
        try (SqsAsyncClient somebody = SQS.newClient()) {
            MessageAttributeValue base64 = MessageAttributeValue.builder()
                    .dataType("String")
                    .stringValue("base64")
                    .build();
            Object unused = somebody.sendMessage(request -> request.queueUrl(SQS.queueUrl("foreign"))
                            .messageBody("{no base64}")
                            .messageAttributes(Map.of("flagtally-encoding", base64)))
                    .join();
        }
        send("foreign", "after", null);

        SqsQueue queue = queue("foreign");
        Set<String> bodies = new HashSet<>();
        await().atMost(PATIENCE).until(() -> {
            queue.receive(10).await().atMost(PATIENCE).forEach(message -> bodies.add(text(message)));
            return bodies.size() == 3;
        });

        assertEquals(Set.of("before", "{no base64}", "after"), bodies);
    }

    /** What the queue itself does with a message that ends process after process. */
    @Test
    void redrivePolicy_messageReceivedTooOften_goesToTheQueueForThat() throws Exception {
        String aside =
                "arn:aws:sqs:" + ElasticMqServerForTests.REGION + ":" + ElasticMqServerForTests.ACCOUNT + ":too-often";
        String policy = "{\"deadLetterTargetArn\":\"" + aside + "\",\"maxReceiveCount\":\"2\"}";
        try (SqsAsyncClient operator = SQS.newClient()) {
            Object unused = operator.setQueueAttributes(request -> request.queueUrl(SQS.queueUrl("limited"))
                            .attributes(Map.of(QueueAttributeName.REDRIVE_POLICY, policy)))
                    .join();
        }
        send("limited", "x", null);
        SqsQueue queue = queue("limited");
        for (int i = 0; i < 2; i++) {
            queue.giveBack(List.of(one(queue).lease())).await().atMost(PATIENCE);
        }

        var third = queue.receive(1).subscribeAsCompletionStage();
        LeasedMessage moved = one("too-often");
        var unused = queue.close();

        assertEquals("x", text(moved));
        assertEquals(
                List.of(),
                third.handle((messages, ended) -> messages == null ? List.of() : messages)
                        .get(PATIENCE.toSeconds(), TimeUnit.SECONDS),
                "it did not come a third time");
        assertEquals(HEADERS, moved.headers());
        assertEquals(OptionalLong.of(0), look().waiting(AwsAddress.of("limited")));
    }

    @Test
    void lease_extended_messageStaysHidden_notExtended_comesAgain() {
        send("kept", "x", null);
        LeasedMessage message = one("kept");
        SqsQueue queue = queue("kept");

        for (int i = 0; i < 3; i++) {
            queue.extend(List.of(message.lease())).await().atMost(PATIENCE);
            await().pollDelay(VISIBILITY.dividedBy(2)).until(() -> true);
        }
        assertEquals(OptionalLong.of(1), look().waiting(AwsAddress.of("kept")));
        LeasedMessage again = one("kept");

        assertTrue(again.redelivered(), "it came again only when nobody kept it");
        queue.acknowledge(List.of(again.lease())).await().atMost(PATIENCE);
        assertEquals(OptionalLong.of(0), look().waiting(AwsAddress.of("kept")));
    }

    @Test
    void giveBack_comesAgainAtOnce() {
        send("given-back", "x", null);
        SqsQueue patient = new SqsQueue(clients, AwsAddress.of("given-back"), Duration.ofHours(1));
        LeasedMessage message = one(patient);

        patient.giveBack(List.of(message.lease())).await().atMost(PATIENCE);

        assertTrue(one(patient).redelivered());
    }

    @Test
    void close_whileItWaits_endsTheWaitingAndLeavesTheClientsToOthers() throws Exception {
        SqsQueue closed = queue("empty");
        Future<List<LeasedMessage>> waiting = closed.receive(1).subscribeAsCompletionStage();
        await().atMost(PATIENCE).until(() -> {
            var unused = closed.close();
            return waiting.isDone();
        });
        assertThrows(CancellationException.class, () -> waiting.get(1, TimeUnit.SECONDS));

        send("empty", "x", null);
        assertEquals("x", text(one("empty")));
    }

    @Test
    void topic_bothKindsOfSubscription_giveTheSameMessage() {
        AwsTarget topic = new AwsTarget(clients, AwsAddress.of(SnsForTests.TOPIC));
        topic.send(message("{\"id\":\"1\"}".getBytes(StandardCharsets.UTF_8), null))
                .await()
                .atMost(PATIENCE);

        for (String queue : List.of("enveloped", "raw")) {
            LeasedMessage message = one(queue);
            assertEquals("{\"id\":\"1\"}", text(message));
            assertEquals(HEADERS, message.headers());
        }
    }

    @Test
    void orderedQueue_messagesOfAKey_stayInOrder() {
        AwsTarget target = new AwsTarget(clients, AwsAddress.of("ordered.fifo"));
        for (int i = 0; i < 5; i++) {
            target.send(message(new byte[] {(byte) ('0' + i)}, "anna")).await().atMost(PATIENCE);
        }

        StringBuilder seen = new StringBuilder();
        SqsQueue queue = queue("ordered.fifo");
        while (seen.length() < 5) {
            for (LeasedMessage message : queue.receive(10).await().atMost(PATIENCE)) {
                seen.append(text(message));
                queue.acknowledge(List.of(message.lease())).await().atMost(PATIENCE);
            }
        }
        assertEquals("01234", seen.toString());
    }

    @Test
    void check_allThere_isSilent() {
        assertEquals(Optional.empty(), check(config(SQS.port()), SnsForTests.TOPIC, "raw", "direct"));
    }

    @Test
    void state_eachSide_asksForWhatItUses() {
        AwsState producing = state("direct", "nowhere");
        AwsState consuming = state("nowhere", "direct");

        await().atMost(PATIENCE).until(() -> producing.cannotPublish().isEmpty());
        await().atMost(PATIENCE).until(() -> consuming.cannotConsume().isEmpty());
        await().atMost(PATIENCE).until(() -> names("flagtally.broker.subscribe-to", producing.cannotConsume()));
        await().atMost(PATIENCE).until(() -> names("flagtally.broker.publish-to", consuming.cannotPublish()));
    }

    @Test
    void check_missing_namesTheKey() {
        AwsConfig config = config(SQS.port());
        assertRefused("flagtally.broker.subscribe-to", config, SnsForTests.TOPIC, "nowhere", "direct");
        assertRefused("flagtally.broker.publish-to", config, SnsForTests.TOPIC + "-not", "raw", "direct");
        assertRefused("flagtally.broker.dead-letter-to", config, SnsForTests.TOPIC, "raw", "nowhere");
        assertRefused("is a topic; subscribe a queue", config, SnsForTests.TOPIC, SnsForTests.TOPIC, "direct");
    }

    @Test
    void check_wrongCredentials_namesWhatToSet() {
        System.setProperty("aws.accessKeyId", "wrong");
        try {
            assertRefused("set AWS_ACCESS_KEY_ID", config(SQS.port()), SnsForTests.TOPIC, "raw", "direct");
        } finally {
            System.setProperty("aws.accessKeyId", "tests");
        }
    }

    @Test
    void check_nobodyAnswers_isWaitedFor() {
        Optional<String> sentence = check(config(LoopbackPort.free()), "direct", "direct", "direct");

        assertTrue(sentence.orElseThrow().contains("does not answer"), sentence::toString);
    }

    private static boolean names(String key, Optional<String> sentence) {
        return sentence.orElse("").contains("correct " + key);
    }

    private AwsState state(String publishTo, String subscribeTo) {
        return new AwsState(
                TestConfigs.of(
                        BrokerConfig.class,
                        Map.of("flagtally.broker.publish-to", publishTo, "flagtally.broker.subscribe-to", subscribeTo)),
                clients);
    }

    private static void assertRefused(String part, AwsConfig config, String publish, String subscribe, String dead) {
        BrokerStartException refused =
                assertThrows(BrokerStartException.class, () -> check(config, publish, subscribe, dead));
        assertTrue(String.valueOf(refused.getMessage()).contains(part), refused::getMessage);
    }

    private static Optional<String> check(AwsConfig config, String publish, String subscribe, String dead) {
        try (AwsClients asking = new AwsClients(config)) {
            return new AwsCheck(asking)
                    .check(new BrokerPlace(
                            Optional.of(publish),
                            Optional.of(subscribe),
                            Optional.of("group"),
                            Optional.of(dead),
                            Optional.empty()));
        }
    }

    private void send(String queue, String text, @Nullable String key) {
        send(queue, text.getBytes(StandardCharsets.UTF_8), key);
    }

    private void send(String queue, byte[] payload, @Nullable String key) {
        new AwsTarget(clients, AwsAddress.of(queue))
                .send(message(payload, key))
                .await()
                .atMost(PATIENCE);
    }

    private static Message<byte[]> message(byte[] payload, @Nullable String key) {
        return Message.of(payload, Metadata.of(new OutgoingHeaders(HEADERS, key)));
    }

    private LeasedMessage one(String queue) {
        return one(queue(queue));
    }

    private static LeasedMessage one(SqsQueue queue) {
        List<LeasedMessage> received = queue.receive(1).await().atMost(PATIENCE);
        assertEquals(1, received.size());
        return received.get(0);
    }

    private SqsQueue queue(String name) {
        return new SqsQueue(clients, AwsAddress.of(name), VISIBILITY);
    }

    private AwsLook look() {
        return new AwsLook(clients);
    }

    private static String text(LeasedMessage message) {
        return new String(message.payload(), StandardCharsets.UTF_8);
    }

    private static AwsConfig config(int sqsPort) {
        return new AwsConfig() {
            @Override
            public Optional<String> region() {
                return Optional.of(ElasticMqServerForTests.REGION);
            }

            @Override
            public Optional<String> sqsEndpoint() {
                return Optional.of("http://127.0.0.1:" + sqsPort);
            }

            @Override
            public Optional<String> snsEndpoint() {
                return Optional.of(SNS.uri());
            }

            @Override
            public Duration visibility() {
                return VISIBILITY;
            }

            @Override
            public int sendsMax() {
                return 8;
            }
        };
    }
}
