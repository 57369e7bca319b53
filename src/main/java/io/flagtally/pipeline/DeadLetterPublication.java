package io.flagtally.pipeline;

import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import java.util.Arrays;
import java.util.List;
import org.eclipse.microprofile.reactive.messaging.Emitter;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.eclipse.microprofile.reactive.messaging.Metadata;

/**
 * Keeps dead letters in the table, and sends them to the broker's place for them too. Done when both have them; a letter
 * may be sent twice, never not at all. Of a payload that is larger than a message of ours may be, the broker gets the
 * beginning: with what a letter says beside it the broker might never take the whole, and the message it came in would
 * be tried for ever.
 */
final class DeadLetterPublication implements DeadLetters {

    /** Letters on their way to the broker at once. */
    private static final int IN_FLIGHT_MAX = 64;

    private final DeadLetters table;
    private final Emitter<byte[]> place;
    private final int bytesMax;

    DeadLetterPublication(DeadLetters table, Emitter<byte[]> place, int bytesMax) {
        this.table = table;
        this.place = place;
        this.bytesMax = bytesMax;
    }

    @Override
    public Uni<Void> put(List<DeadLetter> letters) {
        return table.put(letters)
                .chain(kept -> Multi.createFrom()
                        .iterable(letters)
                        .onItem()
                        .transformToUni(this::send)
                        .merge(IN_FLIGHT_MAX)
                        .onItem()
                        .ignoreAsUni());
    }

    private Uni<Void> send(DeadLetter whole) {
        DeadLetter letter = cut(whole);
        return Uni.createFrom()
                .<Void>emitter(sent -> {
                    Metadata metadata = Metadata.of(letter.headers(), letter);
                    place.send(Message.of(
                            letter.payload(),
                            metadata,
                            () -> {
                                sent.complete(null);
                                return Uni.createFrom().voidItem().subscribeAsCompletionStage();
                            },
                            failure -> {
                                sent.fail(failure);
                                return Uni.createFrom().voidItem().subscribeAsCompletionStage();
                            }));
                })
                .onFailure()
                .transform(failure -> new StoreUnavailableException(
                        "the broker does not take dead letters (flagtally.broker.dead-letter-to): "
                                + failure.getMessage(),
                        failure));
    }

    private DeadLetter cut(DeadLetter letter) {
        int bytes = letter.payload().length;
        if (bytes <= bytesMax) {
            return letter;
        }
        String detail = letter.detail() + "; here are the first " + bytesMax + " of its " + bytes
                + " bytes, the table dead_letter in PostgreSQL has all of them";
        byte[] beginning = Arrays.copyOf(letter.payload(), bytesMax);
        return new DeadLetter(
                letter.headers(), letter.eventId(), letter.code(), detail, beginning, letter.at(), letter.arrived());
    }
}
