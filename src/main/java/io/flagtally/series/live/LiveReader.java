package io.flagtally.series.live;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagId;
import io.flagtally.rollup.TimeBucket;
import io.smallrye.mutiny.Uni;
import java.util.List;

/**
 * A port: reads the counts of the day that runs, again and again.
 *
 * <p>An implementation never writes, and shows every write that was acknowledged before the call. It fails with
 * {@link io.flagtally.platform.error.UnavailableException} while its store is away.
 */
public interface LiveReader {

    /**
     * Reads the counters of {@code flags}, in any order. A flag whose counters hold something else is left out.
     *
     * @param flags at most a few thousand
     */
    Uni<List<LiveFlag>> read(EnvironmentId environment, List<FlagId> flags, TimeBucket day);

    /**
     * Returns the flags with the most evaluations of {@code day}, the busiest first. Of an environment with thousands of
     * flags, those may be looked through that were evaluated last. A counter that holds something else counts as 0.
     */
    Uni<List<FlagId>> busiest(EnvironmentId environment, TimeBucket day, int limit);
}
