package io.flagtally.series.live;

import io.flagtally.event.FlagId;
import io.flagtally.event.VariationId;
import io.flagtally.series.FlagSeries;
import io.flagtally.series.FlagSeries.VariationSeries;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The counts of a flag so far today.
 *
 * @param countedUntil the latest event time that was counted, or null if the flag was never seen
 * @param today a series of one step
 */
public record LiveFlag(FlagId flag, @Nullable Instant countedUntil, FlagSeries today) {

    /** Returns these counts, but no lower than {@code before}, which was read of the same day. */
    LiveFlag noLowerThan(LiveFlag before) {
        Map<VariationId, VariationSeries> merged = new LinkedHashMap<>();
        today.variations().forEach(variation -> merged.put(variation.variation(), variation));
        boolean same = true;
        for (VariationSeries was : before.today.variations()) {
            VariationSeries is = merged.get(was.variation());
            if (is == null || is.eventsTotal() < was.eventsTotal() || is.uniquesTotal() < was.uniquesTotal()) {
                same = false;
                merged.put(was.variation(), is == null ? was : higher(is, was));
            }
        }
        return new LiveFlag(
                flag,
                later(countedUntil, before.countedUntil),
                same ? today : new FlagSeries(today.buckets(), inOrder(merged)));
    }

    long events() {
        return today.variations().stream()
                .mapToLong(VariationSeries::eventsTotal)
                .sum();
    }

    private static VariationSeries higher(VariationSeries one, VariationSeries other) {
        return new VariationSeries(
                one.variation(),
                List.of(Math.max(one.eventsTotal(), other.eventsTotal())),
                List.of(Math.max(one.uniquesTotal(), other.uniquesTotal())),
                Math.max(one.uniquesTotal(), other.uniquesTotal()));
    }

    /** Those that were missing from a read stand before {@code default}, which is always there and last. */
    private static List<VariationSeries> inOrder(Map<VariationId, VariationSeries> variations) {
        List<VariationSeries> inOrder = new ArrayList<>(variations.values());
        inOrder.sort((one, other) -> Boolean.compare(
                one.variation().equals(VariationId.DEFAULT), other.variation().equals(VariationId.DEFAULT)));
        return inOrder;
    }

    private static @Nullable Instant later(@Nullable Instant one, @Nullable Instant other) {
        if (one == null || other == null) {
            return one == null ? other : one;
        }
        return one.isBefore(other) ? other : one;
    }
}
