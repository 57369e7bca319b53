package io.flagtally.series;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.VariationId;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.jspecify.annotations.Nullable;

/** A page of the flags that have been seen. */
record FlagsResponse(
        String environmentId,

        @Schema(description = "The IANA zone of the day", examples = "UTC")
        String zone,

        @Schema(description = "The local date of the totals")
        LocalDate date,

        @Schema(description = "By flag id") List<Seen> flags,

        @Schema(description = "How many flags match, on all pages")
        int matching,

        @Schema(description = "Give it as pageToken to read on; empty on the last page")
        String nextPageToken) {

    @Schema(name = "FlagSeen")
    record Seen(
            String featureId,

            @Schema(description = "What people call it; null if it was given no name", nullable = true) @Nullable
            String name,

            @Schema(description = "Event time of its last event")
            Instant lastEventAt,

            @Schema(description = "The variations seen, by id, 'default' last")
            List<String> variationIds,

            @Schema(description = "What people call those variations that were given a name, by variation id")
            Map<String, String> variationNames,

            Today today) {}

    @Schema(name = "FlagToday")
    record Today(
            @Schema(description = "Evaluations of the day so far: exact")
            long events,

            @Schema(description = "Distinct users of the day so far, each once whatever the variation")
            Estimate uniques) {}

    static FlagsResponse of(
            EnvironmentId environment, String zone, LocalDate date, FlagPage page, LabelNames.Names names) {
        List<Seen> flags = page.flags().stream()
                .map(seen -> flag(environment, seen, names))
                .toList();
        String next =
                page.more() && !flags.isEmpty() ? flags.get(flags.size() - 1).featureId() : "";
        return new FlagsResponse(environment.value(), zone, date, flags, page.matching(), next);
    }

    private static Seen flag(EnvironmentId environment, SeenFlag seen, LabelNames.Names names) {
        Map<String, String> variationNames = new TreeMap<>();
        for (VariationId variation : seen.variations()) {
            String name = names.variation(environment, seen.flag(), variation);
            if (name != null) {
                variationNames.put(variation.value(), name);
            }
        }
        return new Seen(
                seen.flag().value(),
                names.flag(environment, seen.flag()),
                seen.lastEvent(),
                seen.variations().stream().map(VariationId::value).toList(),
                variationNames,
                new Today(seen.eventsToday(), Estimate.of(seen.uniquesToday())));
    }
}
