package io.flagtally.series.live;

import io.flagtally.event.FlagId;
import io.flagtally.event.VariationId;
import io.flagtally.rollup.Granularity;
import io.flagtally.rollup.TimeBucket;
import io.flagtally.series.FlagSeries;
import io.flagtally.series.FlagSeries.VariationSeries;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** Flags as a reader of live counts gives them. */
final class LiveFlags {

    static final Instant DAY = Instant.parse("2026-11-21T00:00:00Z");
    static final FlagId FLAG = new FlagId("checkout");

    private LiveFlags() {}

    static LiveFlag flag(long blue, long users) {
        return flag(FLAG, DAY.plusSeconds(blue), variation("blue", blue, users));
    }

    static LiveFlag flag(FlagId id, Instant until, VariationSeries... variations) {
        List<VariationSeries> all = new ArrayList<>(List.of(variations));
        all.add(variation("default", 0, 0));
        return new LiveFlag(id, until, new FlagSeries(List.of(new TimeBucket(Granularity.DAY, DAY)), all));
    }

    static VariationSeries variation(String id, long events, long users) {
        return new VariationSeries(new VariationId(id), List.of(events), List.of(users), users);
    }
}
