package io.flagtally.store.postgres;

import io.flagtally.event.FlagEvent;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.UUID;

/**
 * Makes the 128-bit key of an event's identity: environment, kind, flag or goal, variation, second, id. For one thread.
 *
 * <p>Implementation note. The upper 34 bits are the event's second, so that keys of a day are a range and inserts of a
 * live stream stay near the end of the index; the other 94 are of the SHA-256 of the rest. Among a million events of
 * one second, two have the same key with a probability of 1 in 4 · 10^16.
 */
final class EventKey {

    /** How far the second is shifted in the upper half of a key; the migration knows it too. */
    static final int SECOND_SHIFT = 30;

    private static final byte EVALUATION = 'e';
    private static final byte GOAL = 'g';

    private final MessageDigest digest;

    EventKey() {
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    UUID of(FlagEvent event) {
        digest.update(ByteBuffer.allocate(2 * Long.BYTES)
                .putLong(event.id().high())
                .putLong(event.id().low())
                .flip());
        text(event.environment().value());
        event.match(
                evaluation -> {
                    digest.update(EVALUATION);
                    text(evaluation.flag().value());
                    text(evaluation.variation().value());
                    return digest;
                },
                goal -> {
                    digest.update(GOAL);
                    text(goal.goal().value());
                    return digest;
                });
        ByteBuffer hash = ByteBuffer.wrap(digest.digest());
        long second = event.time().getEpochSecond();
        return new UUID(second << SECOND_SHIFT | hash.getLong() >>> (Long.SIZE - SECOND_SHIFT), hash.getLong());
    }

    /** A NUL, which no id holds, ends each text. */
    private void text(String text) {
        digest.update(text.getBytes(StandardCharsets.UTF_8));
        digest.update((byte) 0);
    }
}
