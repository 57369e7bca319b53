package io.flagtally.series;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagId;
import io.flagtally.rollup.Granularity;
import io.flagtally.series.FlagSeries.VariationSeries;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.jspecify.annotations.Nullable;

/** A flag's counters as our own face words them. */
@Schema(description = "The counters of a flag; every list of a variation has one value for each step")
record FlagSeriesResponse(
        String environmentId,
        String featureId,

        @Schema(description = "What people call the flag; null if it was given no name", nullable = true) @Nullable
        String name,

        @Schema(description = "The IANA zone of the steps", examples = "Asia/Tokyo")
        String zone,

        Granularity granularity,
        @Schema(description = "First local date, inclusive") LocalDate from,
        @Schema(description = "Last local date, inclusive") LocalDate to,

        @Schema(description = "Oldest first; the one that runs now is the last there is")
        List<Step> buckets,

        @Schema(description = "By variation id, 'default' last and always there")
        List<Variation> variations) {

    @Schema(name = "FlagSeriesStep")
    record Step(
            @Schema(description = "First instant, inclusive")
            Instant start,

            @Schema(description = "The same in unix seconds", examples = "1787184000")
            long unix) {}

    @Schema(name = "FlagSeriesVariation")
    record Variation(
            String variationId,

            @Schema(description = "What people call it; null if it was given no name", nullable = true) @Nullable
            String name,

            @Schema(description = "Evaluations of each step: exact")
            List<Long> events,

            @Schema(description = "Distinct users of each step")
            List<Estimate> uniques,

            Total total) {}

    @Schema(name = "FlagSeriesTotal")
    record Total(
            @Schema(description = "Evaluations of the range: the sum, exact")
            long events,

            @Schema(description = "Distinct users of the range: the union of the steps, not their sum")
            Estimate uniques) {}

    static FlagSeriesResponse of(
            EnvironmentId environment,
            FlagId flag,
            String zone,
            DateRange range,
            FlagSeries series,
            LabelNames.Names names) {
        return new FlagSeriesResponse(
                environment.value(),
                flag.value(),
                names.flag(environment, flag),
                zone,
                range.granularity(),
                range.from(),
                range.to(),
                series.buckets().stream()
                        .map(b -> new Step(b.start(), b.start().getEpochSecond()))
                        .toList(),
                series.variations().stream()
                        .map(each -> variation(each, names.variation(environment, flag, each.variation())))
                        .toList());
    }

    private static Variation variation(VariationSeries series, @Nullable String name) {
        return new Variation(
                series.variation().value(),
                name,
                series.events(),
                series.uniques().stream().map(Estimate::of).toList(),
                new Total(series.eventsTotal(), Estimate.of(series.uniquesTotal())));
    }
}
