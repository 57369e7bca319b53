package io.flagtally.series;

import io.flagtally.rollup.Granularity;
import io.flagtally.rollup.TimeBucket;
import io.flagtally.series.FlagSeries.VariationSeries;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** The event counter's time series as the wire contract words it: protobuf-JSON, int64 as text. */
@Schema(description = "Counts by variation id; 'default' is always the last")
record TimeseriesCountResponse(
        @Schema(description = "Distinct users: estimates") List<VariationTimeseries> userCounts,
        @Schema(description = "Evaluations: exact") List<VariationTimeseries> eventCounts) {

    record VariationTimeseries(String variationId, Timeseries timeseries) {}

    record Timeseries(
            @Schema(description = "Start of each step, unix seconds", examples = "[\"1787184000\",\"1787270400\"]")
            List<String> timestamps,

            @Schema(examples = "[2,3]") List<Long> values,
            Granularity unit,

            @Schema(description = "Events: the sum. Users: the union over the range, not the sum", examples = "4")
            String totalCounts) {}

    static TimeseriesCountResponse of(FlagSeries series, Granularity unit) {
        List<String> timestamps = series.buckets().stream()
                .map(TimeBucket::start)
                .map(start -> Long.toString(start.getEpochSecond()))
                .toList();
        return new TimeseriesCountResponse(
                series.variations().stream()
                        .map(v -> entry(v, new Timeseries(timestamps, v.uniques(), unit, text(v.uniquesTotal()))))
                        .toList(),
                series.variations().stream()
                        .map(v -> entry(v, new Timeseries(timestamps, v.events(), unit, text(v.eventsTotal()))))
                        .toList());
    }

    private static VariationTimeseries entry(VariationSeries variation, Timeseries timeseries) {
        return new VariationTimeseries(variation.variation().value(), timeseries);
    }

    private static String text(long number) {
        return Long.toString(number);
    }
}
