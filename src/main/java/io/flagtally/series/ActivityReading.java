package io.flagtally.series;

import java.time.Instant;
import java.time.YearMonth;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What was read of active users.
 *
 * @param closed the months among those asked for whose rows were dropped, so that late events change them no more; none
 *     where days were asked for
 * @param asOf everything written until then is in it, and perhaps more; null if it shows all that was written before
 */
public record ActivityReading(
        List<PeriodActivity> activity,
        Set<YearMonth> closed,
        @Nullable Instant asOf) {

    /** Returns the same, as of {@code time}. */
    public ActivityReading of(@Nullable Instant time) {
        return new ActivityReading(activity, closed, time);
    }
}
