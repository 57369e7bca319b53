package io.flagtally.series;

import io.flagtally.event.EnvironmentId;
import java.time.Instant;
import java.util.OptionalLong;

/**
 * An environment that events came from.
 *
 * @param flags how many flags were seen in it
 * @param eventsToday evaluations since the start of the local day, exact but for counters that
 *     cannot be read
 * @param uniquesToday users since the start of the local day, each once whatever the flag; an estimate. Empty where
 *     too many counters would have to be merged, or one cannot be read
 */
public record SeenEnvironment(
        EnvironmentId environment, Instant lastEvent, long flags, long eventsToday, OptionalLong uniquesToday) {}
