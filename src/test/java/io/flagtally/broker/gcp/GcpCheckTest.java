package io.flagtally.broker.gcp;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.auth.oauth2.ServiceAccountCredentials;
import io.flagtally.broker.BrokerPlace;
import io.flagtally.broker.BrokerStartException;
import io.flagtally.platform.config.BrokerConfig;
import io.flagtally.platform.embedded.LoopbackPort;
import io.flagtally.testing.PubSubForTests;
import io.flagtally.testing.TestConfigs;
import io.flagtally.testing.TestData;
import io.grpc.Status;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What can never work with Pub/Sub ends the start with a sentence that names the key. */
class GcpCheckTest {

    private static final PubSubForTests PUB_SUB = new PubSubForTests(false)
            .topic("sent", "sent")
            .orderedTopic("ordered", "ordered")
            .refuse("forbidden", Status.PERMISSION_DENIED)
            .refuse("stranger", Status.UNAUTHENTICATED);

    private static final Duration SLOW = Duration.ofSeconds(60);
    private static final String EMULATOR = "flagtally.broker.gcp.emulator-host";
    private static final String DEADLINE = "flagtally.broker.gcp.ack-deadline";
    private static final String CREDENTIALS = "flagtally.broker.gcp.credentials-file";
    private static final String SIZE = "flagtally.broker.message.bytes-max";

    private final Path directory = TestData.newDirectory("credentials");

    @BeforeAll
    static void start() {
        var unused = PUB_SUB.start();
    }

    @AfterAll
    static void stop() {
        PUB_SUB.close();
    }

    @Test
    void check_allThere_isSilent() {
        assertEquals(Optional.empty(), check(Map.of(), "sent", "sent", "sent"));
    }

    @Test
    void check_missing_namesTheKey() {
        assertRefused("flagtally.broker.publish-to", Map.of(), "nowhere", "sent", "sent");
        assertRefused("flagtally.broker.subscribe-to", Map.of(), "sent", "nowhere", "sent");
        assertRefused("flagtally.broker.dead-letter-to", Map.of(), "sent", "sent", "nowhere");
    }

    @Test
    void state_eachSide_asksForWhatItUses() {
        GcpConfig config = TestConfigs.of(
                GcpConfig.class,
                Map.of(
                        "flagtally.broker.gcp.project",
                        PubSubForTests.PROJECT,
                        EMULATOR,
                        "127.0.0.1:" + PUB_SUB.port()));
        try (GcpClients clients = new GcpClients(config)) {
            GcpState producing = new GcpState(places("sent", "nowhere"), config, clients);
            GcpState consuming = new GcpState(places("forbidden", "sent"), config, clients);

            await().atMost(SLOW).until(() -> producing.cannotPublish().isEmpty());
            await().atMost(SLOW).until(() -> consuming.cannotConsume().isEmpty());
            await().atMost(SLOW).until(() -> names("flagtally.broker.subscribe-to", producing.cannotConsume()));
            await().atMost(SLOW).until(() -> names("flagtally.broker.publish-to", consuming.cannotPublish()));
        }
    }

    @Test
    void check_nameThatIsNone_namesTheKey() {
        assertRefused("flagtally.broker.publish-to", Map.of(), "no name", "sent", "sent");
        assertRefused("flagtally.broker.subscribe-to", Map.of(), "sent", "projects/p/topics/sent", "sent");
    }

    @Test
    void check_callerIsRefused_saysWhatToSet() {
        assertRefused("grant it a role", Map.of(), "forbidden", "sent", "sent");
        assertRefused(CREDENTIALS, Map.of(), "sent", "stranger", "sent");
    }

    @Test
    void check_noProject_namesTheKey() {
        assertRefused(
                "set flagtally.broker.gcp.project", Map.of("flagtally.broker.gcp.project", ""), "sent", "sent", "sent");
    }

    @Test
    void check_orderOfASubscriptionWithoutIt_namesTheKey() {
        Map<String, String> ordered = Map.of("flagtally.broker.ordered", "true", "flagtally.broker.key", "user");

        assertRefused("flagtally.broker.ordered is true", ordered, "sent", "sent", "sent");
        assertEquals(Optional.empty(), check(ordered, "sent", "ordered", "sent"));
    }

    @Test
    void check_valueThatPubSubDoesNotTake_namesTheKey() {
        assertRefused(DEADLINE, Map.of(DEADLINE, "601S"), "sent", "sent", "sent");
        assertRefused(DEADLINE, Map.of(DEADLINE, "1.5S"), "sent", "sent", "sent");
        assertRefused(SIZE, Map.of(SIZE, "10000000"), "sent", "sent", "sent");
        assertRefused(EMULATOR, Map.of(EMULATOR, "http://localhost/"), "sent", "sent", "sent");
    }

    @Test
    void check_nobodyAnswers_isWaitedFor() {
        Optional<String> sentence = check(Map.of(EMULATOR, "127.0.0.1:" + LoopbackPort.free()), "sent", "sent", "sent");

        assertTrue(sentence.orElseThrow().contains("does not answer"), sentence::toString);
    }

    @Test
    void check_credentialsThatAreNone_namesTheKey() throws IOException {
        Path garbage = Files.writeString(directory.resolve("garbage.json"), "no JSON");
        Path other = Files.writeString(directory.resolve("other.json"), "{\"no\": \"key\"}");

        for (Path file : new Path[] {directory.resolve("absent.json"), garbage, other}) {
            assertRefused(
                    CREDENTIALS + " is " + file,
                    Map.of(EMULATOR, "", CREDENTIALS, file.toString()),
                    "sent",
                    "sent",
                    "sent");
        }
    }

    @Test
    void credentials_ofAFile_areItsOwners() throws Exception {
        Path file = Files.writeString(directory.resolve("key.json"), key());

        GcpConfig config = TestConfigs.of(GcpConfig.class, Map.of(EMULATOR, "", CREDENTIALS, file.toString()));

        ServiceAccountCredentials found = assertInstanceOf(
                ServiceAccountCredentials.class,
                new GcpCredentials(config).provider().getCredentials());
        assertEquals("flagtally@test.iam.gserviceaccount.com", found.getClientEmail());
        assertTrue(found.getScopes().contains("https://www.googleapis.com/auth/pubsub"));
    }

    @Test
    void emulator_unlessSet_isTheOneOfTheEnvironment() {
        GcpConfig config = new SmallRyeConfigBuilder()
                .addDiscoveredConverters()
                .addDefaultInterceptors()
                .withSources(new PropertiesConfigSource(Map.of("PUBSUB_EMULATOR_HOST", "localhost:8085"), "env", 300))
                .withMapping(GcpConfig.class)
                .build()
                .getConfigMapping(GcpConfig.class);

        assertEquals(Optional.of("localhost:8085"), config.emulatorHost());
    }

    private static boolean names(String key, Optional<String> sentence) {
        return sentence.orElse("").contains("correct " + key);
    }

    private static BrokerConfig places(String publishTo, String subscribeTo) {
        return TestConfigs.of(
                BrokerConfig.class,
                Map.of("flagtally.broker.publish-to", publishTo, "flagtally.broker.subscribe-to", subscribeTo));
    }

    private static void assertRefused(
            String part, Map<String, String> keys, String publish, String subscribe, String dead) {
        BrokerStartException refused =
                assertThrows(BrokerStartException.class, () -> check(keys, publish, subscribe, dead));
        assertTrue(String.valueOf(refused.getMessage()).contains(part), refused::getMessage);
    }

    private static Optional<String> check(Map<String, String> more, String publish, String subscribe, String dead) {
        Map<String, String> keys = new HashMap<>(Map.of(
                "flagtally.broker.gcp.project", PubSubForTests.PROJECT, EMULATOR, "127.0.0.1:" + PUB_SUB.port()));
        keys.putAll(more);
        GcpConfig config = TestConfigs.of(GcpConfig.class, below("flagtally.broker.gcp.", true, keys));
        BrokerConfig broker = TestConfigs.of(BrokerConfig.class, below("flagtally.broker.gcp.", false, keys));
        try (GcpClients clients = new GcpClients(config)) {
            return new GcpCheck(config, broker, clients)
                    .check(new BrokerPlace(
                            Optional.of(publish),
                            Optional.of(subscribe),
                            Optional.of("group"),
                            Optional.of(dead),
                            Optional.empty()));
        }
    }

    private static Map<String, String> below(String prefix, boolean wanted, Map<String, String> keys) {
        Map<String, String> some = new HashMap<>(keys);
        some.keySet().removeIf(key -> key.startsWith(prefix) != wanted);
        return some;
    }

    /** A key of nobody's, as Google writes them. */
    private static String key() throws GeneralSecurityException {
        byte[] secret = KeyPairGenerator.getInstance("RSA")
                .generateKeyPair()
                .getPrivate()
                .getEncoded();
        return "{\"type\": \"service_account\", \"project_id\": \"test\", \"private_key_id\": \"1\","
                + " \"private_key\": \"-----BEGIN PRIVATE KEY-----\\n"
                + Base64.getEncoder().encodeToString(secret)
                + "\\n-----END PRIVATE KEY-----\\n\","
                + " \"client_email\": \"flagtally@test.iam.gserviceaccount.com\", \"client_id\": \"1\"}";
    }
}
