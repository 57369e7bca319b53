package io.flagtally.series;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.SourceId;
import java.time.Instant;
import java.time.LocalDate;
import java.time.YearMonth;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.jspecify.annotations.Nullable;

/** Active users as our own face words them. */
@Schema(description = "Active users, exact; one entry of steps for each step, oldest first")
record ActiveUsersResponse(
        String environmentId,

        @Schema(description = "The IANA zone of the dates", examples = "Asia/Tokyo")
        String zone,

        ActivityRange.Step granularity,

        @Schema(description = "The only SDK that is counted, if one was asked for") @Nullable
        SourceId sourceId,

        List<Step> steps) {

    @Schema(name = "ActiveUsersStep")
    record Step(
            @Schema(description = "First local date, inclusive")
            LocalDate from,

            @Schema(description = "Last local date, inclusive")
            LocalDate to,

            @Schema(description = "Users, a user of two SDKs once; null if rows of these dates were dropped") @Nullable
            Long users,

            @Schema(description = "Evaluations and goals") long events,

            @Schema(description = "Months only: whether late events still change it") @Nullable
            Boolean open,

            @Schema(description = "Months and days: when a late event, or the erasure of a person, changed it last")
            @Nullable
            Instant revisedAt,

            @Schema(description = "By SDK; a user of two is in both")
            List<Source> sources) {}

    @Schema(name = "ActiveUsersSource")
    record Source(SourceId sourceId, @Nullable Long users, long events) {}

    static ActiveUsersResponse of(
            EnvironmentId environment,
            String zone,
            ActivityRange range,
            @Nullable SourceId only,
            ActivityReading reading) {
        Map<DateSpan, List<PeriodActivity>> bySpan =
                reading.activity().stream().collect(Collectors.groupingBy(PeriodActivity::dates));
        boolean months = range.step() == ActivityRange.Step.MONTH;
        return new ActiveUsersResponse(
                environment.value(),
                zone,
                range.step(),
                only,
                range.steps().stream()
                        .map(span -> step(
                                span,
                                only,
                                bySpan.getOrDefault(span, List.of()),
                                months ? !reading.closed().contains(YearMonth.from(span.from())) : null))
                        .toList());
    }

    private static Step step(
            DateSpan span, @Nullable SourceId only, List<PeriodActivity> activity, @Nullable Boolean open) {
        PeriodActivity total =
                activity.stream().filter(a -> a.source() == only).findAny().orElse(null);
        List<Source> sources = activity.stream()
                .filter(a -> a.source() != null && (only == null || a.source() == only))
                .map(ActiveUsersResponse::source)
                .sorted(Comparator.comparing(source -> source.sourceId().name()))
                .toList();
        return new Step(
                span.from(),
                span.to(),
                total == null ? Long.valueOf(0) : total.users(),
                total == null ? 0 : total.events(),
                open,
                total == null ? null : total.revisedAt(),
                sources);
    }

    private static Source source(PeriodActivity activity) {
        SourceId source = activity.source() == null ? SourceId.UNKNOWN : activity.source();
        return new Source(source, activity.users(), activity.events());
    }

    /** Returns the same as CSV (RFC 4180): a line a step and SDK, {@code ALL} for all of them together. */
    String csv() {
        StringBuilder csv = new StringBuilder("from,to,sourceId,users,events,open,revisedAt\r\n");
        for (Step step : steps) {
            String whose = sourceId == null ? "ALL" : sourceId.name();
            String rest = text(step.open) + "," + text(step.revisedAt);
            line(csv, step, whose, step.users, step.events, rest);
            if (sourceId == null) {
                step.sources.forEach(
                        source -> line(csv, step, source.sourceId.name(), source.users, source.events, ","));
            }
        }
        return csv.toString();
    }

    private static void line(
            StringBuilder csv, Step step, String source, @Nullable Long users, long events, String rest) {
        csv.append(step.from)
                .append(',')
                .append(step.to)
                .append(',')
                .append(source)
                .append(',')
                .append(text(users))
                .append(',')
                .append(events)
                .append(',')
                .append(rest)
                .append("\r\n");
    }

    private static String text(@Nullable Object value) {
        return value == null ? "" : value.toString();
    }
}
