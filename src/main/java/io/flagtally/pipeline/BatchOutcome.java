package io.flagtally.pipeline;

import java.util.ArrayList;
import java.util.List;

/**
 * What became of a batch in one sink.
 *
 * @param counted how many events were written
 * @param duplicates how many were recognised as written before, repeats within the batch included
 * @param rejected the events that this sink will never take; each changed nothing
 */
public record BatchOutcome(long counted, long duplicates, List<RejectedEvent> rejected) {

    public BatchOutcome {
        rejected = List.copyOf(rejected);
    }

    public BatchOutcome(long counted, long duplicates) {
        this(counted, duplicates, List.of());
    }

    /** Returns the outcome of two batches together. */
    public BatchOutcome plus(BatchOutcome other) {
        List<RejectedEvent> all = new ArrayList<>(rejected);
        all.addAll(other.rejected);
        return new BatchOutcome(counted + other.counted, duplicates + other.duplicates, all);
    }
}
