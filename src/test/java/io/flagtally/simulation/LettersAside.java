package io.flagtally.simulation;

import io.flagtally.pipeline.DeadLetter;
import io.flagtally.pipeline.DeadLetters;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.rollup.EventIdentity;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The place for events at fault; it never fails here, the store has faults enough. No event of the simulation is at fault,
 * so only the window can bring one here, and not before it has passed.
 */
final class LettersAside implements DeadLetters {

    private final Map<String, Instant> last = new HashMap<>();
    private final VirtualTime time;
    private final Duration window;
    private final History history;
    private String wrong = "";

    LettersAside(VirtualTime time, Duration window, History history) {
        this.time = time;
        this.window = window;
        this.history = history;
    }

    @Override
    public Uni<Void> put(List<DeadLetter> letters) {
        letters.forEach(this::put);
        return Uni.createFrom().voidItem();
    }

    private void put(DeadLetter letter) {
        history.note("event %s put aside: %s", letter.eventId(), letter.code());
        last.put(letter.eventId(), time.instant());
        boolean passed = letter.headers().acceptedAt().plus(window).isBefore(time.instant());
        if (letter.code() != ErrorCode.DEDUPLICATION_WINDOW_PASSED || !passed) {
            wrong = "event " + letter.eventId() + " was put aside for no reason: " + letter.detail();
        }
    }

    /** Whether there is a letter of the event. */
    boolean holds(EventIdentity event) {
        return last.containsKey(event.id().toString());
    }

    /** Whether each of the events was put aside just now. */
    boolean tookJustNow(Collection<EventIdentity> events) {
        return events.stream()
                .allMatch(event -> time.instant().equals(last.get(event.id().toString())));
    }

    /** Says which letter there should not be, or gives an empty text. */
    String wrong() {
        return wrong;
    }
}
