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
import io.flagtally.testing.EntraForTests;
import io.flagtally.testing.ServiceBusForTests;
import io.flagtally.testing.TestConfigs;
import io.flagtally.testing.TestData;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
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
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Identities of Entra ID in place of a connection string, against stand-ins for Entra ID and for Service Bus. */
class AzureIdentityTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration TOKEN_LIFE = Duration.ofSeconds(4);
    private static final String QUEUE = "events";
    private static final String KEYS = "flagtally.broker.azure.";
    private static final String IDENTITY = KEYS + "identity.";
    private static final Vertx VERTX = Vertx.vertx();

    private static final ServiceBusForTests SERVICE_BUS =
            new ServiceBusForTests(false, Duration.ofSeconds(30)).queue(QUEUE).queue("unseen");
    private static final EntraForTests ENTRA = new EntraForTests(TOKEN_LIFE, SERVICE_BUS::allow);

    @BeforeAll
    static void start() {
        var unused = SERVICE_BUS.start();
    }

    @AfterAll
    static void stop() {
        ENTRA.close();
        SERVICE_BUS.close();
        VERTX.close().toCompletionStage().toCompletableFuture().join();
    }

    @Test
    void servicePrincipal_sendsAndReceives_alsoAfterItsTokensHaveEnded() {
        assertCarries(server(secret(EntraForTests.SECRET)));
    }

    @Test
    void workloadIdentity_sendsAndReceives_alsoAfterItsTokensHaveEnded() throws IOException {
        Path file = Files.writeString(
                TestData.newDirectory("workload-identity").resolve("token"), EntraForTests.ASSERTION + "\n");

        assertCarries(server(client("token-file", file.toString())));
    }

    @Test
    void managedIdentity_sendsAndReceives_alsoAfterItsTokensHaveEnded() {
        assertCarries(server(Map.of()));
    }

    @Test
    void token_askedByMany_isFetchedOnce() {
        AzureIdentity identity = identity(config(Map.of()));
        int before = ENTRA.tokens();

        var first = identity.token();
        var second = identity.token();
        AzureIdentity.Token token =
                first.toCompletionStage().toCompletableFuture().join();

        assertEquals(token, second.toCompletionStage().toCompletableFuture().join());
        assertEquals(before + 1, ENTRA.tokens());
        assertFalse(token.toString().contains(token.text()), "a token is a secret");
    }

    @Test
    void check_identityThatMay_isSilent() {
        assertEquals(Optional.empty(), check(Map.of()));
    }

    @Test
    void check_wrongSecret_namesTheKeys() {
        assertRefused(secret("wrong"), "AADSTS7000215", "flagtally.broker.azure.identity");
    }

    @Test
    void check_unknownIdentityOfTheMachine_namesTheKeys() {
        assertRefused(Map.of(IDENTITY + "client-id", "other"), "Identity not found", "flagtally.broker.azure.identity");
    }

    @Test
    void check_tokenFileThatIsNotThere_namesIt() {
        assertRefused(client("token-file", "/nowhere/token"), "/nowhere/token", "flagtally.broker.azure.identity");
    }

    @Test
    void check_secretWithoutTenantAndClient_namesTheKeys() {
        assertRefused(Map.of(IDENTITY + "client-secret", "x"), IDENTITY + "tenant-id", IDENTITY + "client-id");
    }

    @Test
    void check_connectionStringToo_namesBothKeys() {
        assertRefused(
                Map.of(
                        KEYS + "connection-string",
                        ServiceBusForTests.connectionString(SERVICE_BUS.port(), ServiceBusForTests.KEY)),
                KEYS + "connection-string",
                KEYS + "namespace");
    }

    @Test
    void check_tokenThatServiceBusDoesNotTake_namesTheRoles() {
        try (EntraForTests other = new EntraForTests(TOKEN_LIFE, (token, life) -> {})) {
            assertRefused(Map.of(IDENTITY + "metadata", other.uri()), "Azure Service Bus Data Sender", "publish-to");
        }
    }

    @Test
    void check_nobodyGivesTokens_isWaitedFor() {
        String sentence = check(Map.of(IDENTITY + "metadata", "http://127.0.0.1:" + LoopbackPort.free()))
                .orElseThrow();

        assertTrue(sentence.contains("no token"), sentence);
    }

    /** Over one connection each, for longer than two tokens live. */
    private static void assertCarries(AzureServer server) {
        ConfirmedSends sends = new ConfirmedSends(new AzureSends(server, QUEUE));
        PushedQueue queue = new PushedQueue(QUEUE, new AzureDeliveries(server, QUEUE));
        try {
            assertEquals("1", lease(sent(sends, queue, "before")));
            int shown = SERVICE_BUS.tokensShown();
            await().atMost(PATIENCE).until(() -> SERVICE_BUS.tokensShown() >= shown + 6);
            assertEquals("1", lease(sent(sends, queue, "after")), "the first connection was lost");
        } finally {
            queue.close();
            sends.close();
        }
    }

    /** The number of the connection that the message came over. */
    private static String lease(LeasedMessage message) {
        return message.lease().substring(0, message.lease().indexOf(':'));
    }

    private static LeasedMessage sent(ConfirmedSends sends, PushedQueue queue, String text) {
        Void done = sends.send(Message.of(
                        text.getBytes(StandardCharsets.UTF_8), Metadata.of(new OutgoingHeaders(Map.of(), null))))
                .await()
                .atMost(PATIENCE);
        List<LeasedMessage> received = new ArrayList<>();
        await().atMost(PATIENCE).until(() -> {
            received.addAll(queue.receive(1).await().atMost(PATIENCE));
            return !received.isEmpty();
        });
        LeasedMessage message = received.get(0);
        assertEquals(text, new String(message.payload(), StandardCharsets.UTF_8));
        Void acknowledged = queue.acknowledge(List.of(message.lease())).await().atMost(PATIENCE);
        return message;
    }

    private static void assertRefused(Map<String, String> settings, String... parts) {
        BrokerStartException refused = assertThrows(BrokerStartException.class, () -> check(settings));
        for (String part : parts) {
            assertTrue(String.valueOf(refused.getMessage()).contains(part), refused::getMessage);
        }
    }

    private static Optional<String> check(Map<String, String> settings) {
        AzureBroker broker = new AzureBroker(
                server(settings),
                TestConfigs.of(BrokerConfig.class, Map.of("flagtally.broker.message.bytes-max", "240000")));
        return broker.check(new BrokerPlace(
                Optional.of(QUEUE), Optional.of(QUEUE), Optional.of("group"), Optional.of("unseen"), Optional.empty()));
    }

    private static Map<String, String> secret(String secret) {
        return client("client-secret", secret);
    }

    private static Map<String, String> client(String key, String value) {
        return Map.of(
                IDENTITY + "tenant-id",
                EntraForTests.TENANT,
                IDENTITY + "client-id",
                EntraForTests.CLIENT,
                IDENTITY + key,
                value);
    }

    private static AzureServer server(Map<String, String> settings) {
        AzureConfig config = config(settings);
        return new AzureServer(VERTX, config, identity(config));
    }

    private static AzureIdentity identity(AzureConfig config) {
        return new AzureIdentity(VERTX, config, InstantSource.system());
    }

    private static AzureConfig config(Map<String, String> settings) {
        Map<String, String> all = new HashMap<>(Map.of(
                KEYS + "namespace",
                LoopbackPort.HOST + ":" + SERVICE_BUS.port(),
                KEYS + "tls",
                "false",
                IDENTITY + "authority",
                ENTRA.uri(),
                IDENTITY + "metadata",
                ENTRA.uri() + "/"));
        all.putAll(settings);
        return TestConfigs.of(AzureConfig.class, all);
    }
}
