package io.flagtally.rollup;

import io.flagtally.event.EvaluationEvent;
import io.flagtally.event.FlagEvent;
import java.time.Instant;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The numbers that a batch of events adds. Not safe for use by several threads; once folded, only read.
 *
 * <p>Order-free: the same events in another order give an equal rollup, and merging the rollups of two halves gives
 * the rollup of the whole.
 */
public final class Rollup {

    private final BucketCalendar calendar;
    private final Map<CountKey, CountDelta> counts = new HashMap<>();
    private long goals;

    public Rollup(BucketCalendar calendar) {
        this.calendar = calendar;
    }

    /** Adds one event. */
    public Rollup fold(FlagEvent event) {
        return event.match(this::foldEvaluation, goal -> {
            goals++;
            return this;
        });
    }

    private Rollup foldEvaluation(EvaluationEvent event) {
        Instant time = event.time();
        CountKey key = new CountKey(
                event.environment(),
                event.flag(),
                event.variation(),
                calendar.hourStart(time),
                calendar.dayStart(time));
        counts.computeIfAbsent(key, k -> new CountDelta()).add(event);
        return this;
    }

    /** Adds what {@code other} adds. */
    public Rollup merge(Rollup other) {
        other.counts.forEach((key, delta) ->
                counts.computeIfAbsent(key, k -> new CountDelta()).merge(delta));
        goals += other.goals;
        return this;
    }

    /** The evaluations, by counter. */
    public Map<CountKey, CountDelta> counts() {
        return Collections.unmodifiableMap(counts);
    }

    /** How many goal events the batch held. */
    public long goals() {
        return goals;
    }

    @Override
    public boolean equals(@Nullable Object o) {
        return o instanceof Rollup other && goals == other.goals && counts.equals(other.counts);
    }

    @Override
    public int hashCode() {
        return Objects.hash(counts, goals);
    }
}
