package io.flagtally.series;

import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.jspecify.annotations.Nullable;

/** The environments that have been seen. */
record EnvironmentsResponse(
        @Schema(description = "The IANA zone of the day", examples = "UTC")
        String zone,

        @Schema(description = "The local date of the totals")
        LocalDate date,

        @Schema(description = "The one of the last event first")
        List<Seen> environments) {

    @Schema(name = "EnvironmentSeen")
    record Seen(
            String environmentId,

            @Schema(description = "What people call it; null if it was given no name", nullable = true) @Nullable
            String name,

            @Schema(description = "Event time of its last event")
            Instant lastEventAt,

            @Schema(description = "How many flags were seen in it")
            long flags,

            Today today) {}

    @Schema(name = "EnvironmentToday")
    record Today(
            @Schema(description = "Evaluations of the day so far: exact")
            long events,

            @Schema(
                    description = "Distinct users of the day so far, each once whatever the flag; null where too many"
                            + " counters would have to be merged, or one of them cannot be read",
                    nullable = true)
            @Nullable
            Estimate uniques) {}

    static EnvironmentsResponse of(String zone, LocalDate date, List<SeenEnvironment> seen, LabelNames.Names names) {
        return new EnvironmentsResponse(
                zone, date, seen.stream().map(each -> environment(each, names)).toList());
    }

    private static Seen environment(SeenEnvironment seen, LabelNames.Names names) {
        return new Seen(
                seen.environment().value(),
                names.environment(seen.environment()),
                seen.lastEvent(),
                seen.flags(),
                new Today(
                        seen.eventsToday(),
                        seen.uniquesToday().isPresent()
                                ? Estimate.of(seen.uniquesToday().getAsLong())
                                : null));
    }
}
