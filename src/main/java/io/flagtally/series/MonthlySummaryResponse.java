package io.flagtally.series;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.SourceId;
import java.time.YearMonth;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** Months by environment and SDK as the wire contract words them: int64 as text. */
@Schema(description = "One series for each environment and SDK")
record MonthlySummaryResponse(List<MonthlySeries> series) {

    private static final DateTimeFormatter MONTH = DateTimeFormatter.ofPattern("yyyyMM");

    record MonthlySeries(
            String environmentId, SourceId sourceId, String environmentName, String projectName, List<Month> data) {}

    @Schema(name = "MonthlyActiveUsers")
    record Month(
            @Schema(examples = "202601") String yearmonth,

            @Schema(description = "Active users: exact", examples = "12345")
            String mau,

            @Schema(description = "Evaluations and goals", examples = "9876543")
            String requests) {}

    /** @param sources which SDKs; if empty, those that were seen */
    static MonthlySummaryResponse of(
            List<EnvironmentId> environments,
            List<SourceId> sources,
            List<PeriodActivity> months,
            LabelNames.Names names) {
        List<MonthlySeries> all = new ArrayList<>();
        for (EnvironmentId environment : environments) {
            List<PeriodActivity> ofEnvironment = months.stream()
                    .filter(month -> month.environment().equals(environment))
                    .toList();
            List<SourceId> shown = sources.isEmpty()
                    ? ofEnvironment.stream()
                            .map(PeriodActivity::source)
                            .filter(Objects::nonNull)
                            .distinct()
                            .sorted(Comparator.comparing(SourceId::name))
                            .toList()
                    : sources;
            String name = names.environment(environment);
            shown.forEach(source ->
                    all.add(series(environment, name == null ? environment.value() : name, source, ofEnvironment)));
        }
        return new MonthlySummaryResponse(all);
    }

    private static MonthlySeries series(
            EnvironmentId environment, String name, SourceId source, List<PeriodActivity> months) {
        return new MonthlySeries(
                environment.value(),
                source,
                name,
                "",
                months.stream()
                        .filter(month -> month.source() == source)
                        .sorted(Comparator.comparing(month -> month.dates().from()))
                        .map(MonthlySummaryResponse::month)
                        .toList());
    }

    private static Month month(PeriodActivity activity) {
        return new Month(
                MONTH.format(YearMonth.from(activity.dates().from())),
                String.valueOf(activity.users()),
                Long.toString(activity.events()));
    }
}
