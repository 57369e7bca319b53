package io.flagtally.ingest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.codec.BucketeerCodec;
import io.flagtally.codec.EventHeaders;
import io.flagtally.codec.MalformedEventException;
import io.flagtally.codec.PartitionKey;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.SourceId;
import io.flagtally.event.UserId;
import io.flagtally.platform.Availability;
import io.flagtally.platform.Availability.Work;
import io.flagtally.platform.config.BrokerConfig;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.platform.error.UnavailableException;
import io.flagtally.testing.TestConfigs;
import io.smallrye.mutiny.helpers.test.UniAssertSubscriber;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.eclipse.microprofile.reactive.messaging.Emitter;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.junit.jupiter.api.Test;

class EventPublisherTest {

    private static final Instant NOW = Instant.parse("2026-11-21T12:00:00Z");
    private static final int LINE_BYTES = 3;
    private static final String TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    private static final Map<String, String> GATHERING = Map.of(
            "flagtally.broker.message.linger", "5ms",
            "flagtally.broker.message.events-max", "3",
            "flagtally.broker.message.bytes-max", "20");

    private final Wire wire = new Wire();
    private final Availability availability = new Availability();
    private final List<Runnable> lingering = new ArrayList<>();
    private final List<Message<byte[]>> safe = new ArrayList<>();

    @Test
    void publish_acknowledged_isSafe() {
        InFlight inFlight = new InFlight(1, 100);
        EventPublisher publisher = publisher(inFlight, "5s");

        var answer = publish(publisher);
        answer.assertNotTerminated();
        assertEquals(1, inFlight.messages());
        assertEquals(LINE_BYTES, inFlight.bytes());
        wire.sent.get(0).ack();

        answer.assertCompleted();
        assertEquals(0, inFlight.messages());
        assertEquals(0, inFlight.bytes());
        Message<byte[]> sent = wire.sent.get(0);
        assertEquals("{}\n", new String(sent.getPayload(), UTF_8));
        assertEquals(
                new EventHeaders(EnvironmentId.DEFAULT, SourceId.WEB, BucketeerCodec.CONTENT_TYPE, 1, NOW),
                sent.getMetadata(EventHeaders.class).orElseThrow());
    }

    @Test
    void publish_refusedByTheBroker_isUnavailable() {
        InFlight inFlight = new InFlight(1, 100);
        var answer = publish(publisher(inFlight, "5s"));

        wire.sent.get(0).nack(new IllegalStateException("the broker says no"));

        answer.assertFailedWith(UnavailableException.class);
        assertEquals(0, inFlight.messages());
    }

    @Test
    void publish_notSafeInTime_isUnavailableAndKeepsItsRoomUntilDecided() {
        InFlight inFlight = new InFlight(1, 100);
        EventPublisher publisher = publisher(inFlight, "10ms");

        publish(publisher).awaitFailure().assertFailedWith(UnavailableException.class);
        assertEquals(1, inFlight.messages());
        assertRefused(publisher);

        wire.sent.get(0).ack();
        assertEquals(0, inFlight.messages());
        publish(publisher);
        assertEquals(2, wire.sent.size());
    }

    @Test
    void publish_messagesFull_isRefusedAndWithMoreRoomItIsNot() {
        EventPublisher narrow = publisher(new InFlight(2, 100), "5s");
        publish(narrow);
        publish(narrow);
        assertRefused(narrow);

        EventPublisher wide = publisher(new InFlight(3, 100), "5s");
        publish(wide);
        publish(wide);
        publish(wide).assertNotTerminated();
    }

    @Test
    void publish_bytesFull_isRefusedAndNothingIsHeldForIt() {
        InFlight inFlight = new InFlight(10, 2 * LINE_BYTES);
        EventPublisher publisher = publisher(inFlight, "5s");
        publish(publisher);
        publish(publisher);

        assertRefused(publisher);

        assertEquals(2, inFlight.messages());
        assertEquals(2 * LINE_BYTES, inFlight.bytes());
    }

    @Test
    void publish_channelTakesNothing_isUnavailableAndHoldsNothing() {
        InFlight inFlight = new InFlight(1, 100);
        wire.broken = true;

        publish(publisher(inFlight, "5s")).assertFailedWith(UnavailableException.class);

        assertEquals(0, inFlight.messages());
        assertEquals(0, inFlight.bytes());
    }

    @Test
    void publish_storeMissing_isUnavailableAtOnceWithItsSentence() {
        EventPublisher publisher = publisher(new InFlight(1, 100), "5s");
        availability.lost(Work.ACCEPT, "redis", "Redis does not answer");

        UnavailableException missing = assertThrows(UnavailableException.class, () -> publish(publisher));
        assertEquals("Redis does not answer", missing.getMessage());
        assertTrue(wire.sent.isEmpty());

        availability.regained(Work.ACCEPT, "redis");
        publish(publisher);
        assertEquals(1, wire.sent.size());
    }

    @Test
    void publish_moreThanAMessageHolds_isSplitAndSafeWhenAllIs() {
        InFlight inFlight = new InFlight(1, 100);
        EventPublisher publisher = publisher(inFlight, "5s", GATHERING);

        var answer = publish(publisher, slice("1", "a"), slice("2", "a"), slice("3", "a"), slice("4", "a"));
        assertEquals(List.of("1;2;3;"), payloads().subList(0, 1));
        wire.sent.get(0).ack();
        answer.assertNotTerminated();
        wire.sent.get(1).ack();

        answer.assertCompleted();
        assertEquals(List.of("1;2;3;", "4;"), payloads());
        assertEquals(0, inFlight.bytes());
        assertEquals(0, inFlight.messages());
        assertEquals(2, safe.size());
    }

    @Test
    void publish_byBytes_neverExceedsThem() {
        EventPublisher publisher = publisher(new InFlight(1, 100), "5s", GATHERING);

        publish(publisher, slice("123456789", "a"), slice("123456789", "a"), slice("1", "a"));

        lingering.forEach(Runnable::run);
        assertEquals(List.of("123456789;123456789;", "1;"), payloads());
    }

    @Test
    void publish_oneOfSeveralMessagesRefused_isUnavailable() {
        InFlight inFlight = new InFlight(1, 100);
        EventPublisher publisher = publisher(inFlight, "5s", GATHERING);
        var answer = publish(publisher, slice("1", "a"), slice("2", "a"), slice("3", "a"), slice("4", "a"));
        lingering.forEach(Runnable::run);

        wire.sent.get(1).nack(new IllegalStateException("the broker says no"));

        answer.assertFailedWith(UnavailableException.class);
        assertEquals(1, inFlight.messages(), "the first message is still under way");
        wire.sent.get(0).ack();
        assertEquals(0, inFlight.messages());
    }

    @Test
    void publish_quiet_leavesAtOnceAndUnderLoadGathers() {
        EventPublisher publisher = publisher(new InFlight(10, 100), "5s", GATHERING);

        publish(publisher, slice("1", "a"));
        assertEquals(List.of("1;"), payloads());
        var second = publish(publisher, slice("2", "b"));
        var third = publish(publisher, slice("3", "c"));
        assertEquals(List.of("1;"), payloads(), "the broker has not answered, so the next gather");

        wire.sent.get(0).ack();
        assertEquals(List.of("1;", "2;3;"), payloads());
        second.assertNotTerminated();
        wire.sent.get(1).ack();
        second.assertCompleted();
        third.assertCompleted();
        publish(publisher, slice("4", "a"));
        assertEquals(List.of("1;", "2;3;", "4;"), payloads());
    }

    @Test
    void publish_gatheringForItsLinger_leaves() {
        EventPublisher publisher = publisher(new InFlight(10, 100), "5s", GATHERING);
        publish(publisher, slice("1", "a"));
        publish(publisher, slice("2", "b"));

        lingering.forEach(Runnable::run);

        assertEquals(List.of("1;", "2;"), payloads());
    }

    @Test
    void publish_withoutLinger_neverMixesRequests() {
        EventPublisher publisher =
                publisher(new InFlight(10, 100), "5s", Map.of("flagtally.broker.message.linger", "0s"));

        publish(publisher, slice("1", "a"));
        publish(publisher, slice("2", "b"), slice("3", "c"));

        assertEquals(List.of("1;", "2;3;"), payloads());
        assertEquals(List.of(), lingering);
    }

    @Test
    void publish_otherEnvironmentOrSource_isAnotherMessage() {
        EventPublisher publisher = publisher(new InFlight(10, 100), "5s", GATHERING);
        publish(publisher, slice("1", "a"));
        publish(publisher, slice("2", "a"));
        var unused = publisher
                .publish(List.of(slice("3", "a")), new EnvironmentId("other"), SourceId.WEB, Optional.empty())
                .subscribe()
                .withSubscriber(UniAssertSubscriber.create());

        assertEquals(List.of("1;", "3;"), payloads());
        assertEquals(
                "other",
                wire.sent
                        .get(1)
                        .getMetadata(EventHeaders.class)
                        .orElseThrow()
                        .environment()
                        .value());
    }

    @Test
    void publish_keyedByUser_givesAUserOneKeyAndLetsUsersShareMessages() {
        Map<String, String> keyed = new HashMap<>(Map.of("flagtally.broker.key", "user"));
        EventPublisher publisher = publisher(new InFlight(1000, 1000), "5s", keyed);
        List<EventSlice> events = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            events.add(slice("" + i % 100, "user-" + i % 100));
        }
        publish(publisher, events.toArray(EventSlice[]::new));

        Map<String, Set<String>> keysOfEvent = new HashMap<>();
        for (Message<byte[]> message : wire.sent) {
            String key = message.getMetadata(PartitionKey.class).orElseThrow().value();
            for (String line : new String(message.getPayload(), UTF_8).split("\n", -1)) {
                keysOfEvent.computeIfAbsent(line, l -> new HashSet<>()).add(key);
            }
        }
        keysOfEvent.remove("");
        assertEquals(100, keysOfEvent.size());
        keysOfEvent.forEach((event, keys) -> assertEquals(1, keys.size(), event));
        assertTrue(wire.sent.size() <= Outbox.LANES, wire.sent.size() + " messages");
        assertTrue(wire.sent.size() > 1, "all users have one key");
    }

    @Test
    void requireFits_anEventAboveTheLimit_isRefusedWithBothSizes() throws MalformedEventException {
        EventPublisher publisher = publisher(new InFlight(1, 100), "5s", GATHERING);
        publisher.requireFits("id", slice("1234567890123456789", "a"));

        MalformedEventException fault = assertThrows(
                MalformedEventException.class, () -> publisher.requireFits("id", slice("12345678901234567890", "a")));

        assertEquals(ErrorCode.EVENT_TOO_LARGE, fault.code());
        assertEquals("gateway: the event has 21 bytes, and a message takes at most 20", fault.wireMessage());
    }

    @Test
    void publish_traceContext_travelsWithTheMessage() {
        publish(publisher(new InFlight(1, 100), "5s"), slice("1", "a"));

        assertEquals(
                Optional.of(TRACE),
                wire.sent.get(0).getMetadata(EventHeaders.class).orElseThrow().traceParent());
        assertEquals(Optional.empty(), TraceContext.of("not a trace context"));
        assertEquals(Optional.of(TRACE), TraceContext.of(TRACE));
    }

    private static void assertRefused(EventPublisher publisher) {
        RefusedException refused = assertThrows(RefusedException.class, () -> publish(publisher));
        assertEquals(ErrorCode.RESOURCE_EXHAUSTED, refused.code());
    }

    private static UniAssertSubscriber<Void> publish(EventPublisher publisher) {
        return publisher
                .publish(List.of(slice("{}", "user")), EnvironmentId.DEFAULT, SourceId.WEB, Optional.empty())
                .subscribe()
                .withSubscriber(UniAssertSubscriber.create());
    }

    private EventPublisher publisher(InFlight inFlight, String ackTimeout) {
        return publisher(inFlight, ackTimeout, Map.of());
    }

    private EventPublisher publisher(InFlight inFlight, String ackTimeout, Map<String, String> message) {
        IngestConfig config = TestConfigs.of(IngestConfig.class, Map.of("flagtally.ingest.ack-timeout", ackTimeout));
        BrokerConfig broker = TestConfigs.of(BrokerConfig.class, message);
        Outbox outbox = new Outbox(broker, wire::send, (delay, task) -> lingering.add(task), safe::add);
        return new EventPublisher(inFlight, availability, InstantSource.fixed(NOW), config, broker, outbox);
    }

    private static EventSlice slice(String event, String user) {
        byte[] bytes = event.getBytes(UTF_8);
        return new EventSlice(bytes, 0, bytes.length, new UserId(user));
    }

    private static UniAssertSubscriber<Void> publish(EventPublisher publisher, EventSlice... events) {
        return publisher
                .publish(List.of(events), EnvironmentId.DEFAULT, SourceId.WEB, Optional.of(TRACE))
                .subscribe()
                .withSubscriber(UniAssertSubscriber.create());
    }

    private List<String> payloads() {
        return wire.sent.stream()
                .map(message -> new String(message.getPayload(), UTF_8).replace("\n", ";"))
                .toList();
    }

    /** The channel's end, which remembers what was sent. */
    private static final class Wire implements Emitter<byte[]> {
        private final List<Message<byte[]>> sent = new ArrayList<>();
        private boolean broken;

        @Override
        @SuppressWarnings("unchecked")
        public <M extends Message<? extends byte[]>> void send(M message) {
            if (broken) {
                throw new IllegalStateException("cancelled");
            }
            sent.add((Message<byte[]>) message);
        }

        @Override
        public CompletionStage<Void> send(byte[] payload) {
            throw new UnsupportedOperationException("messages only");
        }

        @Override
        public void complete() {}

        @Override
        public void error(Exception e) {}

        @Override
        public boolean isCancelled() {
            return broken;
        }

        @Override
        public boolean hasRequests() {
            return true;
        }
    }
}
