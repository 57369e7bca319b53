package io.flagtally.rollup;

import java.time.Instant;

/**
 * One step of a time series.
 *
 * @param start the first instant of the bucket, inclusive
 */
public record TimeBucket(Granularity granularity, Instant start) {}
