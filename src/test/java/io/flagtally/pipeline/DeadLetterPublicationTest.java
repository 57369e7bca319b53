package io.flagtally.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.codec.EventHeaders;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.SourceId;
import io.flagtally.platform.error.ErrorCode;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.eclipse.microprofile.reactive.messaging.Emitter;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.junit.jupiter.api.Test;

class DeadLetterPublicationTest {

    private static final int BYTES_MAX = 8;
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final EventHeaders HEADERS = new EventHeaders(
            new EnvironmentId("shop"),
            SourceId.WEB,
            "application/x-ndjson",
            1,
            Instant.parse("2026-11-21T12:00:00Z"),
            Optional.empty());

    private final List<DeadLetter> kept = new ArrayList<>();
    private final Place place = new Place();
    private final DeadLetterPublication publication = new DeadLetterPublication(
            letters -> {
                kept.addAll(letters);
                return Uni.createFrom().voidItem();
            },
            place,
            BYTES_MAX);

    @Test
    void put_largestPayload_isSentWhole() {
        DeadLetter letter = letter(BYTES_MAX);

        publication.put(List.of(letter)).await().atMost(PATIENCE);

        assertEquals(List.of(letter), kept);
        assertEquals(List.of(letter), place.letters);
    }

    @Test
    void put_payloadAboveTheLimit_isKeptWholeAndItsBeginningSent() {
        DeadLetter letter = letter(BYTES_MAX + 1);

        publication.put(List.of(letter)).await().atMost(PATIENCE);

        assertEquals(List.of(letter), kept);
        DeadLetter sent = place.letters.get(0);
        assertArrayEquals(letter(BYTES_MAX).payload(), sent.payload());
        assertArrayEquals(sent.payload(), place.payloads.get(0));
        assertTrue(sent.detail().startsWith("no event; here are the first 8 of its 9 bytes"), sent.detail());
        assertEquals(letter.code(), sent.code());
    }

    @Test
    void put_brokerRefuses_failsThoughTheTableHasIt() {
        place.away = true;

        assertThrows(
                StoreUnavailableException.class,
                () -> publication.put(List.of(letter(1))).await().atMost(PATIENCE));
        assertEquals(1, kept.size());
    }

    private static DeadLetter letter(int bytes) {
        byte[] payload = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            payload[i] = (byte) i;
        }
        return new DeadLetter(HEADERS, "", ErrorCode.MALFORMED, "no event", payload, HEADERS.acceptedAt());
    }

    /** A broker's place for dead letters that confirms or refuses at once. */
    private static final class Place implements Emitter<byte[]> {

        final List<DeadLetter> letters = new ArrayList<>();
        final List<byte[]> payloads = new ArrayList<>();
        boolean away;

        @Override
        public <M extends Message<? extends byte[]>> void send(M message) {
            if (away) {
                message.nack(new IllegalStateException("away"))
                        .toCompletableFuture()
                        .join();
                return;
            }
            letters.add(message.getMetadata(DeadLetter.class).orElseThrow());
            payloads.add(message.getPayload());
            message.ack().toCompletableFuture().join();
        }

        @Override
        public CompletionStage<Void> send(byte[] payload) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void complete() {
            throw new UnsupportedOperationException();
        }

        @Override
        public void error(Exception e) {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean isCancelled() {
            return false;
        }

        @Override
        public boolean hasRequests() {
            return true;
        }
    }
}
