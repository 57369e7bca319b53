package io.flagtally.series;

import io.flagtally.event.EnvironmentId;
import org.jspecify.annotations.Nullable;

/**
 * Which environments are meant.
 *
 * @param only the one, or null for all
 * @param limit at most so many
 */
public record EnvironmentScope(@Nullable EnvironmentId only, int limit) {}
