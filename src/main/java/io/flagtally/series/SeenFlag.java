package io.flagtally.series;

import io.flagtally.event.FlagId;
import io.flagtally.event.VariationId;
import java.time.Instant;
import java.util.List;

/**
 * A flag that has been evaluated.
 *
 * @param variations those seen, by id, {@link VariationId#DEFAULT} last
 * @param eventsToday evaluations since the start of the local day, exact; 0 like the uniques if a counter of them cannot be read
 * @param uniquesToday users since the start of the local day, each once whatever the variation; an estimate
 */
public record SeenFlag(
        FlagId flag, Instant lastEvent, List<VariationId> variations, long eventsToday, long uniquesToday) {}
