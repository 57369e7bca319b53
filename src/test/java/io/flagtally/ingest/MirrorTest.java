package io.flagtally.ingest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.flagtally.codec.BucketeerCodec;
import io.flagtally.codec.EventHeaders;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.SourceId;
import io.flagtally.testing.TestConfigs;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.eclipse.microprofile.reactive.messaging.Emitter;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.eclipse.microprofile.reactive.messaging.Metadata;
import org.junit.jupiter.api.Test;

/** The mirror gets what was accepted, and whatever happens to it is nobody else's matter. */
class MirrorTest {

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final Wire wire = new Wire();

    @Test
    void offer_acceptedEvents_areSentAndCounted() {
        Mirror mirror = mirror(Map.of());

        mirror.offer(message("1\n2\n"));
        wire.sent.get(0).ack();

        assertEquals(List.of("1;2;"), payloads());
        assertEquals(2, sent());
        assertEquals(0, dropped());
    }

    @Test
    void offer_aLargeMessage_isSplitBetweenEvents() {
        Mirror mirror = mirror(Map.of("flagtally.mirror.bytes-max", "6"));

        mirror.offer(message("1\n2\n3\n4\n12345678\n5\n"));

        assertEquals(List.of("1;2;3;", "4;", "12345678;", "5;"), payloads());
        assertEquals(
                List.of(3, 1, 1, 1),
                wire.sent.stream()
                        .map(each -> each.getMetadata(EventHeaders.class)
                                .orElseThrow()
                                .events())
                        .toList());
    }

    @Test
    void offer_moreThanItHolds_isDroppedAndCountedAndLaterItTakesAgain() {
        Mirror mirror = mirror(Map.of("flagtally.mirror.in-flight.messages-max", "1"));
        mirror.offer(message("1\n"));

        mirror.offer(message("2\n3\n"));
        assertEquals(2, dropped());
        wire.sent.get(0).nack(new IllegalStateException("the mirror says no"));
        assertEquals(3, dropped());
        mirror.offer(message("4\n"));

        assertEquals(List.of("1;", "4;"), payloads());
    }

    @Test
    void offer_bytesFull_isDropped() {
        Mirror mirror = mirror(Map.of("flagtally.mirror.in-flight.bytes-max", "3"));

        mirror.offer(message("1\n"));
        mirror.offer(message("2\n"));

        assertEquals(List.of("1;"), payloads());
        assertEquals(1, dropped());
    }

    @Test
    void offer_channelThatThrows_isDropped() {
        wire.broken = true;

        mirror(Map.of()).offer(message("1\n"));

        assertEquals(1, dropped());
    }

    @Test
    void offer_withoutAPlace_sendsNothing() {
        new Mirror(TestConfigs.of(MirrorConfig.class, Map.of()), wire, meters).offer(message("1\n"));

        assertEquals(List.of(), payloads());
        assertEquals(0, dropped());
    }

    private Mirror mirror(Map<String, String> more) {
        Map<String, String> keys = new HashMap<>(more);
        keys.put("flagtally.mirror.publish-to", "mirror");
        return new Mirror(TestConfigs.of(MirrorConfig.class, keys), wire, meters);
    }

    private static Message<byte[]> message(String lines) {
        EventHeaders headers = new EventHeaders(
                EnvironmentId.DEFAULT,
                SourceId.WEB,
                BucketeerCodec.CONTENT_TYPE,
                9,
                Instant.parse("2026-11-21T12:00:00Z"));
        return Message.of(lines.getBytes(UTF_8), Metadata.of(headers));
    }

    private List<String> payloads() {
        return wire.sent.stream()
                .map(each -> new String(each.getPayload(), UTF_8).replace('\n', ';'))
                .toList();
    }

    private int sent() {
        return (int) meters.counter("flagtally.ingest.mirror.sent").count();
    }

    private int dropped() {
        return (int) meters.counter("flagtally.ingest.mirror.dropped").count();
    }

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
            return CompletableFuture.failedFuture(new UnsupportedOperationException("messages only"));
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
