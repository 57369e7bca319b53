package io.flagtally.series;

import io.flagtally.event.EnvironmentId;
import org.jspecify.annotations.Nullable;

/**
 * Which labels are meant.
 *
 * @param after only those behind this one, by kind, flag and id; null for the first page
 * @param limit at most so many
 */
public record LabelQuery(
        EnvironmentId environment, @Nullable Label after, int limit) {}
