package io.flagtally.store.redis;

import io.flagtally.pipeline.BatchSink;
import io.flagtally.pipeline.DeduplicationConfig;
import java.time.Duration;

/**
 * What {@link CountsConfig} and {@link DeduplicationConfig} say about counting.
 *
 * @param deduplicate whether repeats are recognised
 * @param window how long they are at least, since the last new event of their set
 * @param variationsMax most variations of a flag
 * @param flagsMax most flags of an environment; not enforced on Redis Cluster
 */
public record CountRules(boolean deduplicate, Duration window, int variationsMax, int flagsMax) {

    /** The rules of a default configuration. */
    public static final CountRules DEFAULT = new CountRules(true, Duration.ofHours(24), 100, 10_000);

    /** @throws IllegalArgumentException if the window is shorter than a second */
    public CountRules {
        if (window.toSeconds() < 1) {
            throw new IllegalArgumentException(
                    "flagtally.deduplication.window is " + window + "; it must be at least one second");
        }
    }

    /** For how long the ids of counted events are kept: beyond the window, as a sink must. */
    Duration idsKept() {
        return window.plus(BatchSink.RECOGNISED_BEYOND);
    }

    /** Returns rules of the same bounds with a window of at least {@code least}. */
    CountRules recognisingFor(Duration least) {
        return new CountRules(deduplicate, least.compareTo(window) > 0 ? least : window, variationsMax, flagsMax);
    }

    static CountRules of(CountsConfig counts, DeduplicationConfig deduplication) {
        return new CountRules(
                deduplication.enabled(), deduplication.window(), counts.variationsMax(), counts.flagsMax());
    }
}
