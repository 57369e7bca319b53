package io.flagtally.ingest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.codec.BucketeerCodec;
import io.flagtally.codec.EventHeaders;
import io.flagtally.codec.EventLines;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.SourceId;
import io.flagtally.platform.Availability;
import io.flagtally.platform.Availability.Work;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.platform.error.UnavailableException;
import io.flagtally.testing.TestConfigs;
import io.smallrye.mutiny.helpers.test.UniAssertSubscriber;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.eclipse.microprofile.reactive.messaging.Emitter;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.junit.jupiter.api.Test;

class EventPublisherTest {

    private static final Instant NOW = Instant.parse("2026-11-21T12:00:00Z");
    private static final int LINE_BYTES = 3;

    private final Wire wire = new Wire();
    private final Availability availability = new Availability();

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

        assertThrows(UnavailableException.class, () -> publish(publisher(inFlight, "5s")));

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

    private static void assertRefused(EventPublisher publisher) {
        RefusedException refused = assertThrows(RefusedException.class, () -> publish(publisher));
        assertEquals(ErrorCode.RESOURCE_EXHAUSTED, refused.code());
    }

    private static UniAssertSubscriber<Void> publish(EventPublisher publisher) {
        EventLines lines = new EventLines(LINE_BYTES);
        lines.add("{}".getBytes(UTF_8), 0, 2);
        return publisher
                .publish(lines, EnvironmentId.DEFAULT, SourceId.WEB)
                .subscribe()
                .withSubscriber(UniAssertSubscriber.create());
    }

    private EventPublisher publisher(InFlight inFlight, String ackTimeout) {
        IngestConfig config = TestConfigs.of(IngestConfig.class, Map.of("flagtally.ingest.ack-timeout", ackTimeout));
        return new EventPublisher(wire, inFlight, availability, InstantSource.fixed(NOW), config);
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
