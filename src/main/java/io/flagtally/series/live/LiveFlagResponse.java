package io.flagtally.series.live;

import io.flagtally.series.Estimate;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A flag as a stream words it. */
record LiveFlagResponse(String featureId, @Nullable Instant countedUntil, long events, List<Variation> variations) {

    record Variation(String variationId, long events, Estimate uniques) {}

    static LiveFlagResponse of(LiveFlag flag) {
        return new LiveFlagResponse(
                flag.flag().value(),
                flag.countedUntil(),
                flag.events(),
                flag.today().variations().stream()
                        .map(each -> new Variation(
                                each.variation().value(), each.eventsTotal(), Estimate.of(each.uniquesTotal())))
                        .toList());
    }
}
