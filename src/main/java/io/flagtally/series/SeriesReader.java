package io.flagtally.series;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagId;
import io.flagtally.rollup.TimeBucket;
import io.smallrye.mutiny.Uni;
import java.util.List;

/**
 * A port: reads the counters.
 *
 * <p>An implementation never writes, takes at most two round trips, and shows every write that was acknowledged
 * before the call. It fails with {@link io.flagtally.platform.error.UnavailableException} while its store is away.
 */
public interface SeriesReader {

    /**
     * Reads the counters of all variations of a flag.
     *
     * @param buckets of one granularity, oldest first; at most a few hundred
     */
    Uni<FlagSeries> read(EnvironmentId environment, FlagId flag, List<TimeBucket> buckets);
}
