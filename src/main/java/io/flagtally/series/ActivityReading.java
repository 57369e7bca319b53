package io.flagtally.series;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What was read of active users.
 *
 * @param asOf everything written until then is in it, and perhaps more; null if it shows all that was written before
 */
public record ActivityReading(
        List<PeriodActivity> activity, @Nullable Instant asOf) {}
