package io.flagtally.series.report;

import java.time.YearMonth;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The users and events of a month.
 *
 * @param zone the IANA zone that cuts the month
 * @param environments those with events, by id
 * @param environmentsLeftOut how many more have events
 */
record MonthlyReport(YearMonth month, String zone, List<Environment> environments, long environmentsLeftOut) {

    /**
     * An environment's month.
     *
     * @param name what people call it, or null
     * @param open whether late events still change it
     */
    record Environment(
            String environmentId,
            @Nullable String name,
            @Nullable Long users,
            long events,
            boolean open) {

        String shownName() {
            return name == null ? environmentId : name;
        }
    }
}
