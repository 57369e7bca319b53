package io.flagtally.series;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.SourceId;
import io.smallrye.mutiny.Uni;
import java.time.YearMonth;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A port: reads who was active.
 *
 * <p>An implementation never writes, and shows every write that was acknowledged before the call, unless it reads from
 * a replica. What was never active is missing from the answer. It fails with
 * {@link io.flagtally.platform.error.UnavailableException} while its store is away.
 */
public interface ActiveUsersReader {

    /** Reads months, one entry for each environment, month and SDK, and for all SDKs; from sums, in one small read. */
    Uni<ActivityReading> months(List<EnvironmentId> environments, YearMonth from, YearMonth to);

    /** Reads a month, one entry for each environment that had events, over all SDKs, by environment; at most so many. */
    Uni<MonthOfEnvironments> month(YearMonth month, int environmentsMax);

    /** Reads the days of {@code dates}, one entry for each day and SDK, and for all SDKs; from sums. */
    Uni<ActivityReading> days(EnvironmentId environment, DateSpan dates);

    /**
     * Reads the union of the users of each of {@code spans}, one entry for each span and SDK, and for all SDKs. Costs a
     * pass over the users of the months that the spans touch, however many spans there are, and where there are several
     * SDKs another one.
     *
     * @param only the only SDK of which entries are wanted, or null
     */
    Uni<ActivityReading> spans(EnvironmentId environment, List<DateSpan> spans, @Nullable SourceId only);
}
