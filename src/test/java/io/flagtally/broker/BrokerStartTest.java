package io.flagtally.broker;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.platform.Availability;
import io.flagtally.platform.Availability.Work;
import io.flagtally.platform.config.BrokerConfig;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Roles decide which channels are open, and what can never work is refused with the key to set. */
class BrokerStartTest {

    private static final String UNORDERED = "unordered";
    private static final String IN = "mp.messaging.incoming.events.connector";
    private static final String OUT = "mp.messaging.outgoing.events-out.connector";
    private static final String DEAD = "mp.messaging.outgoing.dead-letters-out.connector";
    private static final String MIRROR = "mp.messaging.outgoing.mirror-out.connector";

    private final Availability availability = new Availability();
    private final List<BrokerPlace> looked = new ArrayList<>();

    @Test
    void channels_eachRole_opensItsOwnAlone() {
        assertEquals(List.of("smallrye-kafka", "smallrye-kafka"), connectors(broker(Map.of()), IN, OUT));
        assertEquals(
                List.of("flagtally-idle", "smallrye-kafka"),
                connectors(broker(Map.of("flagtally.roles", "ingest")), IN, OUT));
        assertEquals(
                List.of("smallrye-kafka", "flagtally-idle"),
                connectors(broker(Map.of("flagtally.roles[0]", "serve", "flagtally.roles[1]", "Consume")), IN, OUT));
        assertEquals(
                List.of("flagtally-idle", "flagtally-idle"),
                connectors(broker(Map.of("flagtally.roles", "serve")), IN, OUT));
    }

    @Test
    void channels_withoutAPlace_areIdle() {
        assertEquals(List.of("flagtally-idle", "flagtally-idle"), connectors(broker(Map.of()), DEAD, MIRROR));
        Map<String, String> places =
                Map.of("flagtally.broker.dead-letter-to", "letters", "flagtally.mirror.publish-to", "mirror");
        assertEquals(List.of("smallrye-kafka", "smallrye-kafka"), connectors(broker(places), DEAD, MIRROR));
        Map<String, String> consuming = new HashMap<>(places);
        consuming.put("flagtally.roles", "consume");
        assertEquals(List.of("smallrye-kafka", "flagtally-idle"), connectors(broker(consuming), DEAD, MIRROR));
    }

    @Test
    void look_inProcessWithHalfTheRoles_isRefusedNamingTheKey() {
        for (String roles : List.of("ingest", "consume", "ingest,serve", "consume,serve")) {
            assertRefused(inProcess(Map.of("flagtally.roles", roles)), "flagtally.roles", "quarkus.profile");
        }
        for (String roles : List.of("ingest,consume", "ingest,consume,serve", "serve")) {
            assertDoesNotThrow(
                    () -> start(inProcess(Map.of("flagtally.roles", roles)), List.of())
                            .look(),
                    roles);
        }
    }

    @Test
    void look_deadLetterPlaceInProcess_isRefused() {
        assertRefused(
                inProcess(Map.of("flagtally.broker.dead-letter-to", "letters")), "flagtally.broker.dead-letter-to");
    }

    @Test
    void look_orderThatCannotBe_isRefusedNamingTheKey() {
        String ordered = "flagtally.broker.ordered";
        Map<String, String> both = Map.of(ordered, "true", "flagtally.broker.key", "user");
        assertRefused(config(broker(Map.of(ordered, "true")), "prod"), ordered, "flagtally.broker.key");
        assertRefused(inProcess(both), ordered, "flagtally-memory");
        Map<String, String> elsewhere = new HashMap<>(both);
        elsewhere.put("flagtally.broker.publish-to", UNORDERED);
        assertRefused(config(broker(elsewhere), "prod"), ordered, UNORDERED);

        assertDoesNotThrow(() -> start(config(broker(both), "prod"), List.of()).look());
        elsewhere.put("flagtally.roles", "consume");
        assertDoesNotThrow(
                () -> start(config(broker(elsewhere), "prod"), List.of()).look(), "it sends nothing");
        assertDoesNotThrow(() -> start(
                        config(broker(Map.of("flagtally.broker.publish-to", UNORDERED)), "prod"), List.of())
                .look());
    }

    @Test
    void carrier_ofQueuesThatLend_keepsOrderWhereItWasTold() {
        assertFalse(new LeasedCarrier("flagtally-some").keepsOrder("events.fifo"));
        LeasedCarrier carrier = new LeasedCarrier("flagtally-some", place -> place.endsWith(".fifo"));
        assertTrue(carrier.keepsOrder("events.fifo"));
        assertFalse(carrier.keepsOrder("events"));
    }

    @Test
    void look_mirrorThatNothingSendsTo_isRefused() {
        Map<String, String> mirrored = Map.of("flagtally.mirror.publish-to", "elsewhere");
        assertRefused(inProcess(mirrored), "flagtally.mirror.publish-to", "mirror-out");

        assertDoesNotThrow(
                () -> start(config(broker(mirrored), "prod"), List.of()).look());
        Map<String, String> serving = new HashMap<>(mirrored);
        serving.put("flagtally.roles", "serve");
        assertDoesNotThrow(() -> start(inProcess(serving), List.of()).look());
    }

    @Test
    void look_mirror_isLookedAtAndWhenAwayClosesNoDoor() {
        Map<String, String> mirrored = Map.of("flagtally.mirror.publish-to", "elsewhere", MIRROR, "smallrye-kafka");

        start(inProcess(mirrored), List.of(check("smallrye-kafka", null, "Kafka is away")))
                .look();

        assertEquals(
                List.of(new BrokerPlace(
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.of("elsewhere"))),
                looked);
        assertEquals(Map.of(), availability.missing(Work.ACCEPT));

        start(config(broker(mirrored), "prod"), List.of(check("smallrye-kafka", null, "Kafka is away")))
                .look();
        assertEquals(
                Map.of("broker", "Kafka is away"), availability.missing(Work.ACCEPT), "it is not the mirror alone");
    }

    @Test
    void look_unknownProfile_isRefusedAndAKnownOneIsNot() {
        assertRefused(config(broker(Map.of()), "kafak"), "kafak", "quarkus.profile");
        Map<String, String> keys = broker(Map.of());
        keys.put("%kafka.some.key", "x");

        assertDoesNotThrow(() -> start(config(keys, "kafka"), List.of()).look());
    }

    @Test
    void look_withABroker_eventsAreTakenWhileAStoreIsAway() {
        availability.lost(Work.WRITE, "redis", "Redis is away");
        assertEquals(1, availability.missing(Work.ACCEPT).size(), "in process the store decides");

        start(config(broker(Map.of()), "prod"), List.of()).look();

        assertEquals(Map.of(), availability.missing(Work.ACCEPT));
        assertEquals(1, availability.missing(Work.WRITE).size());
    }

    @Test
    void look_checkOfTheConnector_seesThePlacesOfThisProcessAlone() {
        Map<String, String> keys = broker(Map.of(
                "flagtally.roles", "ingest",
                "flagtally.broker.publish-to", "here",
                "flagtally.broker.dead-letter-to", "letters"));

        start(config(keys, "prod"), List.of(check("smallrye-kafka", null), check("smallrye-amqp", "not asked")))
                .look();

        assertEquals(
                List.of(new BrokerPlace(
                        Optional.of("here"), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty())),
                looked);
    }

    @Test
    void look_checkThatFails_stopsTheStartWithItsSentence() {
        BrokerStart start = start(
                config(broker(Map.of()), "prod"), List.of(check("smallrye-kafka", "set kafka.bootstrap.servers")));

        BrokerStartException e = assertThrows(BrokerStartException.class, start::look);
        assertEquals("set kafka.bootstrap.servers", e.getMessage());
    }

    @Test
    void look_brokerAway_isMissingForWhatTheProcessDoes() {
        Map<String, String> consuming = broker(Map.of("flagtally.roles", "consume"));

        start(config(consuming, "prod"), List.of(away())).look();

        assertEquals(Map.of("broker", "Kafka is away"), availability.missing(Work.CONSUME));
        assertEquals(Map.of(), availability.missing(Work.ACCEPT));
        start(config(broker(Map.of()), "prod"), List.of(away())).look();
        assertEquals(Map.of("broker", "Kafka is away"), availability.missing(Work.ACCEPT));
    }

    private void assertRefused(SmallRyeConfig config, String... words) {
        BrokerStartException e = assertThrows(
                BrokerStartException.class, () -> start(config, List.of()).look());
        for (String word : words) {
            assertTrue(String.valueOf(e.getMessage()).contains(word), e.getMessage());
        }
    }

    private BrokerStart start(SmallRyeConfig config, List<BrokerCheck> checks) {
        Channels channels = new Channels(config, List.of(new NoCarrying()));
        return new BrokerStart(channels, config.getConfigMapping(BrokerConfig.class), config, availability, checks);
    }

    private BrokerCheck check(String connector, @Nullable String fault) {
        return check(connector, fault, null);
    }

    private BrokerCheck check(String connector, @Nullable String fault, @Nullable String away) {
        return new BrokerCheck() {
            @Override
            public String connector() {
                return connector;
            }

            @Override
            public Optional<String> check(BrokerPlace place) {
                if (fault != null) {
                    throw new BrokerStartException(fault);
                }
                looked.add(place);
                return Optional.ofNullable(away);
            }
        };
    }

    private static BrokerCheck away() {
        return new BrokerCheck() {
            @Override
            public String connector() {
                return "smallrye-kafka";
            }

            @Override
            public Optional<String> check(BrokerPlace place) {
                return Optional.of("Kafka is away");
            }
        };
    }

    private static List<String> connectors(Map<String, String> keys, String... names) {
        SmallRyeConfig config = config(keys, "prod");
        return List.of(names).stream()
                .map(name -> config.getValue(name, String.class))
                .toList();
    }

    private static Map<String, String> broker(Map<String, String> more) {
        Map<String, String> keys = new HashMap<>();
        for (String key : List.of(IN, OUT, DEAD, MIRROR)) {
            keys.put(key, "smallrye-kafka");
        }
        keys.putAll(more);
        return keys;
    }

    private static SmallRyeConfig inProcess(Map<String, String> more) {
        Map<String, String> keys = new HashMap<>();
        keys.put(IN, "flagtally-memory");
        keys.put(OUT, "flagtally-memory");
        keys.put(DEAD, "flagtally-idle");
        keys.put(MIRROR, "flagtally-idle");
        keys.putAll(more);
        return config(keys, "prod");
    }

    private static SmallRyeConfig config(Map<String, String> keys, String profile) {
        return new SmallRyeConfigBuilder()
                .addDefaultInterceptors()
                .addDiscoveredConverters()
                .withProfile(profile)
                .withInterceptors(new UnusedChannels())
                .withSources(new PropertiesConfigSource(keys, "test", 100))
                .withMapping(BrokerConfig.class)
                .build();
    }

    private static final class NoCarrying implements Carrier {
        @Override
        public String connector() {
            return "smallrye-kafka";
        }

        @Override
        public boolean keepsOrder(String place) {
            return !place.equals(UNORDERED);
        }

        @Override
        public Message<byte[]> outgoing(Message<byte[]> message, Map<String, String> headers, @Nullable String key) {
            return message;
        }

        @Override
        public Arrived incoming(Message<?> message) {
            throw new IllegalStateException("nothing arrives here");
        }
    }
}
