package io.flagtally.series;

import io.flagtally.event.VariationId;
import io.flagtally.rollup.TimeBucket;
import java.util.List;

/**
 * The counters of a flag over time.
 *
 * @param buckets the steps, oldest first
 * @param variations by variation id, {@link VariationId#DEFAULT} last and always there
 */
public record FlagSeries(List<TimeBucket> buckets, List<VariationSeries> variations) {

    /**
     * The counters of one variation; the lists have one value for each bucket.
     *
     * @param events evaluations, exact
     * @param uniques users, estimates
     * @param uniquesTotal users over the whole range: the union, not the sum; an estimate
     */
    public record VariationSeries(VariationId variation, List<Long> events, List<Long> uniques, long uniquesTotal) {

        /** Evaluations over the whole range: the sum, exact. */
        public long eventsTotal() {
            return events.stream().mapToLong(Long::longValue).sum();
        }
    }
}
