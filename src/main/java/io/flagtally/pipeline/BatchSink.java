package io.flagtally.pipeline;

import io.flagtally.rollup.EventBatch;
import io.smallrye.mutiny.Uni;
import java.time.Duration;

/**
 * A port: where the numbers of a batch go.
 *
 * <p><b>An implementation keeps</b>:
 *
 * <ul>
 *   <li><i>Idempotence</i>: a batch, or any part of it in any other grouping, may be written again, also at the same
 *       time from another process and also after a write whose reply was lost. An event is counted once. The check
 *       and the write are one atomic step in the store.
 *   <li><i>Memory</i>: what was written is recognised for the window of {@link DeduplicationConfig} and
 *       {@link #RECOGNISED_BEYOND} more, since the write.
 *   <li><i>All or aside</i>: when {@link #write} succeeds, every event of the batch is written, or was recognised as
 *       written before, or is named in {@link BatchOutcome#rejected()} and changed nothing.
 *   <li><i>No false blame</i>: a store that is away, slow or read-only fails with {@link StoreUnavailableException}.
 *       Any other failure means that the batch holds an event the store will never take.
 * </ul>
 *
 * <p><b>A caller may rely on</b>: writes of several batches may be in flight at once.
 */
public interface BatchSink {

    /**
     * How much longer than the window a sink recognises what it has written. The pipeline begins no write once the window
     * has passed; this is for a write that is under way then, and for processes whose clocks differ.
     */
    Duration RECOGNISED_BEYOND = Duration.ofMinutes(5);

    /** The name of this sink in {@code flagtally.pipeline.sinks} and in metrics. */
    String name();

    /** Whether goals concern it; one that they do not concern passes them over. */
    default boolean takesGoals() {
        return true;
    }

    /** Writes {@code batch}. Fails with {@link StoreUnavailableException} when the same call may succeed later. */
    Uni<BatchOutcome> write(EventBatch batch);

    /**
     * Returns a sink to the same place for which {@code window} is the window, unless its own is longer. Need not be
     * overridden by one that recognises it longer than any import may take to be repeated.
     */
    default BatchSink recognisingFor(Duration window) {
        return this;
    }

    /**
     * Returns a sink to the same place that recognises what it has written for as long as it can be written at all. Need
     * not be overridden by one that always does.
     */
    default BatchSink recognisingForGood() {
        return this;
    }
}
