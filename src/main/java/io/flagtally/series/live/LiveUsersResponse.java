package io.flagtally.series.live;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.SourceId;
import io.flagtally.series.PeriodActivity;
import java.time.LocalDate;
import java.time.YearMonth;
import java.time.format.DateTimeFormatter;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Active users as a stream words them. */
record LiveUsersResponse(String environmentId, String zone, Period today, Period month) {

    private static final DateTimeFormatter MONTH = DateTimeFormatter.ofPattern("yyyyMM");

    /** A day, which has a date, or a month, which has a year and month. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Period(@Nullable LocalDate date, @Nullable String yearMonth, long users, long events, List<Source> sources) {

        /** Returns this, or {@code before} if that is of the same period and higher. */
        Period noLowerThan(Period before) {
            boolean same = Objects.equals(date, before.date) && Objects.equals(yearMonth, before.yearMonth);
            return same && (users < before.users || events < before.events) ? before : this;
        }
    }

    record Source(SourceId sourceId, long users, long events) {}

    static LiveUsersResponse of(
            EnvironmentId environment,
            String zone,
            LocalDate today,
            List<PeriodActivity> ofDay,
            List<PeriodActivity> ofMonth) {
        return new LiveUsersResponse(
                environment.value(),
                zone,
                period(today, null, ofDay),
                period(null, YearMonth.from(today).format(MONTH), ofMonth));
    }

    /** Returns this, but no lower than {@code before} where that is of the same day. */
    LiveUsersResponse noLowerThan(LiveUsersResponse before) {
        if (!Objects.equals(today.date, before.today.date)) {
            return this;
        }
        return new LiveUsersResponse(
                environmentId, zone, today.noLowerThan(before.today), month.noLowerThan(before.month));
    }

    private static Period period(@Nullable LocalDate date, @Nullable String yearMonth, List<PeriodActivity> activity) {
        long users = 0;
        long events = 0;
        for (PeriodActivity each : activity) {
            if (each.source() == null) {
                users = each.users() == null ? 0 : each.users();
                events = each.events();
            }
        }
        List<Source> sources = activity.stream()
                .filter(each -> each.source() != null)
                .map(each -> new Source(
                        each.source() == null ? SourceId.UNKNOWN : each.source(),
                        each.users() == null ? 0 : each.users(),
                        each.events()))
                .sorted(Comparator.comparing(source -> source.sourceId().name()))
                .toList();
        return new Period(date, yearMonth, users, events, sources);
    }
}
