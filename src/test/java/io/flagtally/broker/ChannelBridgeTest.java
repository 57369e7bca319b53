package io.flagtally.broker;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.codec.BucketeerCodec;
import io.flagtally.codec.EventHeaders;
import io.flagtally.codec.PartitionKey;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.SourceId;
import io.flagtally.pipeline.Arrival;
import io.flagtally.pipeline.DeadLetter;
import io.flagtally.platform.error.ErrorCode;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import io.smallrye.mutiny.Multi;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.eclipse.microprofile.reactive.messaging.Metadata;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What is sent over a broker arrives with the same headers, and what cannot be read passes with its reason. */
class ChannelBridgeTest {

    private static final Instant NOW = Instant.parse("2026-11-21T06:00:00Z");
    private static final byte[] PAYLOAD = "{}\n".getBytes(StandardCharsets.UTF_8);
    private static final EventHeaders HEADERS = new EventHeaders(
            new EnvironmentId("Größe 1"),
            SourceId.OPEN_FEATURE_GO,
            BucketeerCodec.CONTENT_TYPE,
            7,
            Instant.parse("2026-11-21T05:59:58.123456789Z"),
            Optional.of("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));

    private final Channels channels = channels("smallrye-kafka");
    private final OutgoingBridge out = new OutgoingBridge(channels);
    private final IncomingBridge in = new IncomingBridge(channels, InstantSource.fixed(NOW));

    @Test
    void outgoing_allHeaders_areTextUnderTheirNames() {
        Message<?> sent = sent("events-out", Metadata.of(HEADERS, new PartitionKey("user-1")));

        OnTheWire wire = wire(sent);

        assertEquals("user-1", wire.key);
        assertEquals(
                Map.of(
                        "content-type", "application/x-ndjson; codec=bucketeer; v=1",
                        "flagtally-environment", "Größe 1",
                        "flagtally-source", "OPEN_FEATURE_GO",
                        "flagtally-accepted-at", "2026-11-21T05:59:58.123456789Z",
                        "flagtally-events", "7",
                        "traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
                wire.headers);
    }

    @Test
    void outgoing_deadLetter_hasItsReasonBesideTheHeaders() {
        DeadLetter letter = new DeadLetter(HEADERS, "", ErrorCode.SINK_REJECTED, "the sink said no", PAYLOAD, NOW);

        OnTheWire wire = wire(sent("dead-letters-out", Metadata.of(HEADERS, letter)));

        assertEquals("SINK_REJECTED", wire.headers.get("flagtally-error-code"));
        assertEquals("the sink said no", wire.headers.get("flagtally-error-detail"));
        assertEquals("Größe 1", wire.headers.get("flagtally-environment"));
        assertTrue(!wire.headers.containsKey("flagtally-event-id"), "an empty header was written");
    }

    @Test
    void deadLetter_ofAMessageWithABadHeader_hasAllHeadersAsTheyCame() {
        Map<String, String> came = new HashMap<>(WireHeaders.write(HEADERS));
        came.put("flagtally-accepted-at", "yesterday");
        came.put("tenant", "acme");
        came.put("x-death", "[{count=1}]");

        Map<String, String> kept = letterOf(came, Integer.MAX_VALUE);

        assertEquals("yesterday", kept.get("flagtally-accepted-at"));
        assertEquals("Größe 1", kept.get("flagtally-environment"));
        assertEquals("OPEN_FEATURE_GO", kept.get("flagtally-source"));
        assertEquals("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", kept.get("traceparent"));
        assertEquals("1", kept.get("flagtally-events"), "a letter has one event, whatever its message said");
        assertEquals("acme", kept.get("tenant"));
        assertEquals("{\"x-death\":\"[{count=1}]\"}", kept.get("flagtally-other-headers"));
        assertEquals("MALFORMED", kept.get("flagtally-error-code"));
    }

    @Test
    void deadLetter_ofABrokerWithFewHeaders_hasTheOthersInOne() {
        Map<String, String> came = new HashMap<>(WireHeaders.write(HEADERS));
        came.put("tenant", "acme");
        came.put("region", "\"eu\"");

        Map<String, String> kept = letterOf(came, 9);

        assertTrue(kept.size() <= 9, kept.toString());
        assertEquals("Größe 1", kept.get("flagtally-environment"));
        assertEquals(
                "{\"traceparent\":\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\","
                        + "\"region\":\"\\\"eu\\\"\",\"tenant\":\"acme\"}",
                kept.get("flagtally-other-headers"));
    }

    @Test
    void deadLetter_ofAMessageWithTooMuch_isBoundedAndSaysSo() {
        Map<String, String> came = new HashMap<>();
        for (int i = 0; i < 1_000; i++) {
            came.put("header-" + i, "é".repeat(100));
        }
        came.put("flagtally-environment", "e".repeat(100_000));

        Map<String, String> kept = letterOf(came, Integer.MAX_VALUE);

        int bytes = kept.entrySet().stream()
                .mapToInt(each -> (each.getKey() + each.getValue()).getBytes(StandardCharsets.UTF_8).length)
                .sum();
        assertTrue(bytes <= 6_000, "bytes: " + bytes);
        assertTrue(kept.values().stream().allMatch(value -> value.length() <= 1024), kept.toString());
        assertEquals("default", kept.get("flagtally-environment"));
        long others = kept.keySet().stream()
                .filter(name -> name.startsWith("header-"))
                .count();
        assertTrue(others > 10, kept.toString());
        assertEquals("{\"left out\":" + (1_000 - others) + "}", kept.get("flagtally-other-headers"));
    }

    /** The headers of the letter for a message with these, which cannot be read. */
    private Map<String, String> letterOf(Map<String, String> came, int headersMax) {
        Message<?> arrived = arrived(Message.of("carried", Metadata.of(new OnTheWire(PAYLOAD, came, null))));
        DeadLetter letter = new DeadLetter(
                arrived.getMetadata(EventHeaders.class).orElseThrow().ofOneEvent(),
                "event-1",
                ErrorCode.MALFORMED,
                "a header is at fault",
                PAYLOAD,
                NOW,
                arrived.getMetadata(Arrival.class).orElseThrow().headers());
        Map<String, String> text = WireHeaders.write(letter.headers());
        LetterHeaders.write(letter, text, headersMax);
        return text;
    }

    @Test
    void incoming_whatWasSent_arrivesEqualAndAcknowledgesTheOriginal() {
        AtomicInteger acknowledged = new AtomicInteger();
        OnTheWire wire = wire(sent("events-out", Metadata.of(HEADERS)));

        Message<?> arrived = arrived(Message.of("carried", Metadata.of(wire), () -> {
            acknowledged.incrementAndGet();
            return CompletableFuture.completedFuture(null);
        }));
        arrived.ack().toCompletableFuture().join();

        assertEquals(HEADERS, arrived.getMetadata(EventHeaders.class).orElseThrow());
        assertArrayEquals(PAYLOAD, (byte[]) arrived.getPayload());
        assertEquals(
                new Arrival(true, Optional.empty(), wire.headers),
                arrived.getMetadata(Arrival.class).orElseThrow());
        assertEquals(1, acknowledged.get());
    }

    @Test
    void incoming_headersAtFault_passWithTheReason() {
        Map<String, String> faults = Map.of(
                "content-type", "",
                "flagtally-environment", "\u0007",
                "flagtally-events", "many",
                "flagtally-accepted-at", "yesterday");
        faults.forEach((name, value) -> {
            Map<String, String> headers = new HashMap<>(WireHeaders.write(HEADERS));
            headers.put(name, value);

            Message<?> arrived = arrived(Message.of("carried", Metadata.of(new OnTheWire(PAYLOAD, headers, null))));

            String fault =
                    arrived.getMetadata(Arrival.class).orElseThrow().fault().orElseThrow();
            assertTrue(fault.contains(name), fault);
            assertArrayEquals(PAYLOAD, (byte[]) arrived.getPayload());
        });
    }

    @Test
    void incoming_acceptedInAYearThatNoStoreHolds_passesWithTheReasonAndATimeThatOneDoes() {
        for (String at : List.of("+1000000000-01-01T00:00:00Z", "+10000-01-01T00:00:00Z", "1969-12-31T23:59:59Z")) {
            Map<String, String> headers = new HashMap<>(WireHeaders.write(HEADERS));
            headers.put("flagtally-accepted-at", at);

            Message<?> arrived = arrived(Message.of("carried", Metadata.of(new OnTheWire(PAYLOAD, headers, null))));

            String fault =
                    arrived.getMetadata(Arrival.class).orElseThrow().fault().orElse("");
            assertTrue(fault.contains("flagtally-accepted-at"), at + " " + fault);
            assertEquals(
                    NOW, arrived.getMetadata(EventHeaders.class).orElseThrow().acceptedAt());
        }
    }

    @Test
    void incoming_carrierThatFails_passesThePayloadWithTheReason() {
        Message<?> arrived = arrived(Message.of("no carrier can read this"));

        assertEquals(
                Optional.of("the message has nothing on it"),
                arrived.getMetadata(Arrival.class).orElseThrow().fault());
        assertEquals("no carrier can read this", new String((byte[]) arrived.getPayload(), StandardCharsets.UTF_8));
    }

    @Test
    void bridge_inProcess_passesMessagesAsTheyAre() {
        Multi<Message<?>> messages = Multi.createFrom().empty();
        Channels inProcess = channels("flagtally-memory");

        assertSame(messages, new OutgoingBridge(inProcess).decorate(messages, List.of("events-out"), true));
        assertSame(
                messages,
                new IncomingBridge(inProcess, InstantSource.fixed(NOW)).decorate(messages, List.of("events"), true));
    }

    @Test
    void bridge_otherChannels_passMessagesAsTheyAre() {
        Multi<Message<?>> messages = Multi.createFrom().empty();

        assertSame(messages, out.decorate(messages, List.of("events-out"), false));
        assertSame(messages, out.decorate(messages, List.of("something"), true));
        assertSame(messages, in.decorate(messages, List.of("something"), true));
    }

    @Test
    void carrier_unknownConnector_isOneSentence() {
        BrokerStartException e = assertThrows(BrokerStartException.class, () -> channels.carrier("smallrye-pigeons"));

        assertTrue(String.valueOf(e.getMessage()).contains("smallrye-pigeons"), e.getMessage());
        assertTrue(String.valueOf(e.getMessage()).contains("smallrye-kafka"), e.getMessage());
    }

    private Message<?> sent(String channel, Metadata metadata) {
        Multi<Message<?>> messages = Multi.createFrom().item(Message.of(PAYLOAD, metadata));
        return out.decorate(messages, List.of(channel), true).toUni().await().indefinitely();
    }

    private Message<?> arrived(Message<?> delivered) {
        Multi<Message<?>> messages = Multi.createFrom().item(delivered);
        return in.decorate(messages, List.of("events"), true).toUni().await().indefinitely();
    }

    private static OnTheWire wire(Message<?> message) {
        return message.getMetadata(OnTheWire.class).orElseThrow();
    }

    private static Channels channels(String connector) {
        Map<String, String> keys = new HashMap<>();
        keys.put("mp.messaging.incoming.events.connector", connector);
        for (String channel : Channels.OUTGOING) {
            keys.put("mp.messaging.outgoing." + channel + ".connector", connector);
        }
        return new Channels(
                new SmallRyeConfigBuilder()
                        .withSources(new PropertiesConfigSource(keys, "test", 100))
                        .build(),
                List.of(new CarrierForTests()));
    }

    /** What a broker would keep of a message. */
    private record OnTheWire(
            byte[] payload,
            Map<String, String> headers,
            @Nullable String key) {}

    private static final class CarrierForTests implements Carrier {
        @Override
        public String connector() {
            return "smallrye-kafka";
        }

        @Override
        public Message<byte[]> outgoing(Message<byte[]> message, Map<String, String> headers, @Nullable String key) {
            return message.addMetadata(new OnTheWire(message.getPayload(), headers, key));
        }

        @Override
        public Arrived incoming(Message<?> message) {
            OnTheWire wire = message.getMetadata(OnTheWire.class)
                    .orElseThrow(() -> new IllegalStateException("the message has nothing on it"));
            return new Arrived(wire.payload, wire.headers, true);
        }
    }
}
