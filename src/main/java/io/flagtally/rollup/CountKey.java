package io.flagtally.rollup;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagId;
import io.flagtally.event.VariationId;
import java.time.Instant;

/**
 * What one counter counts: the evaluations of a variation within one local hour.
 *
 * @param hour the first instant of the hour
 * @param day the first instant of the local day that the hour belongs to
 */
public record CountKey(EnvironmentId environment, FlagId flag, VariationId variation, Instant hour, Instant day) {}
