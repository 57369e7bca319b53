package io.flagtally.rollup;

/** How long a time bucket is. */
public enum Granularity {
    HOUR,
    DAY
}
