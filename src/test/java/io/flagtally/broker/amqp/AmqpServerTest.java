package io.flagtally.broker.amqp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.broker.BrokerPlace;
import io.flagtally.broker.BrokerStartException;
import io.flagtally.platform.BrokerState.Look;
import io.flagtally.platform.embedded.LoopbackPort;
import io.flagtally.proof.FaultProxy;
import io.flagtally.testing.ArtemisServerForTests;
import io.flagtally.testing.TestConfigs;
import io.vertx.core.Vertx;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What can never work stops the start with a sentence that names the key; a real Artemis refuses. */
class AmqpServerTest {

    private static final Vertx VERTX = Vertx.vertx();
    private static final ArtemisServerForTests ARTEMIS = new ArtemisServerForTests();

    @BeforeAll
    static void start() {
        ARTEMIS.start(Map.of());
    }

    @AfterAll
    static void end() {
        ARTEMIS.close();
        VERTX.close().toCompletionStage().toCompletableFuture().join();
    }

    @Test
    void check_allIsWell_saysNothing() {
        assertEquals(Optional.empty(), broker(Map.of()).check(place("events")));
        assertEquals(Look.FINE, broker(Map.of()).look());
    }

    @Test
    void check_noAddress_namesTheKey() {
        AmqpBroker broker = new AmqpBroker(new AmqpServer(VERTX, TestConfigs.of(AmqpConfig.class, Map.of())));

        refused(broker, "events", "flagtally.broker.amqp.addresses");
    }

    @Test
    void check_unreadableAddress_namesTheKey() {
        refused(broker(Map.of("addresses", "amqp://here")), "events", "flagtally.broker.amqp.addresses", "amqp://here");
    }

    @Test
    void check_wrongPassword_namesTheKeys() {
        refused(
                broker(Map.of("password", "wrong")),
                "events",
                "refuses the credentials",
                "flagtally.broker.amqp.username and password");
    }

    @Test
    void check_addressThatDoesNotExist_namesItAndTheKey() {
        refused(broker(Map.of()), "closed.events", "closed.events", "flagtally.broker.publish-to");
    }

    @Test
    void check_nobodyListens_isWaitedForAndNamesTheKey() {
        AmqpBroker broker = broker(Map.of("addresses", "127.0.0.1:" + LoopbackPort.free()));

        assertTrue(broker.check(place("events")).orElseThrow().contains("flagtally.broker.amqp.addresses"));
        assertTrue(broker.look().unusable().orElseThrow().contains("flagtally.broker.amqp.addresses"));
    }

    @Test
    void check_brokerFallsSilentWhenAsked_isWaitedFor() {
        try (FaultProxy proxy = FaultProxy.to(ARTEMIS.port())) {
            proxy.loseRepliesFrom("never-opened");

            Optional<String> away =
                    broker(Map.of("addresses", "127.0.0.1:" + proxy.port())).check(place("never-opened"));

            assertTrue(away.orElseThrow().contains("no answer"), away::toString);
        }
    }

    @Test
    void check_firstOfTwoAddressesIsDead_theOtherIsTried() {
        String dead = "127.0.0.1:" + LoopbackPort.free();
        AmqpBroker broker = broker(Map.of("addresses", dead + ",127.0.0.1:" + ARTEMIS.port()));

        assertTrue(broker.look().unusable().isPresent(), "the first attempt goes to the dead one");
        assertEquals(Look.FINE, broker.look());
    }

    private static void refused(AmqpBroker broker, String publishTo, String... words) {
        String sentence = String.valueOf(assertThrows(BrokerStartException.class, () -> broker.check(place(publishTo)))
                .getMessage());
        for (String word : words) {
            assertTrue(sentence.contains(word), sentence);
        }
    }

    private static AmqpBroker broker(Map<String, String> more) {
        Map<String, String> keys = new HashMap<>();
        keys.put("addresses", "127.0.0.1:" + ARTEMIS.port());
        keys.put("username", ArtemisServerForTests.USER);
        keys.put("password", ArtemisServerForTests.PASSWORD);
        keys.putAll(more);
        Map<String, String> named = new HashMap<>();
        keys.forEach((key, value) -> named.put("flagtally.broker.amqp." + key, value));
        return new AmqpBroker(new AmqpServer(VERTX, TestConfigs.of(AmqpConfig.class, named)));
    }

    private static BrokerPlace place(String publishTo) {
        return new BrokerPlace(
                Optional.of(publishTo),
                Optional.of("events"),
                Optional.of("group"),
                Optional.of("letters"),
                Optional.empty());
    }
}
