package io.flagtally.rollup;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.SourceId;
import io.flagtally.event.UserId;
import java.time.YearMonth;

/**
 * A user of an SDK within one month.
 *
 * @param month of the local date
 */
public record ActivityKey(EnvironmentId environment, YearMonth month, SourceId source, UserId user) {}
