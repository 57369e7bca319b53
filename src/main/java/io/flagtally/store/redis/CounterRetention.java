package io.flagtally.store.redis;

import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.Granularity;
import io.flagtally.rollup.TimeBucket;
import java.time.Duration;
import java.time.Instant;

/**
 * When counters go: a day's 32 days after the end of the day, an hour's 72 hours after the end of the hour. From the
 * end, so that an event that is 31 days late still finds its day.
 */
record CounterRetention(BucketCalendar calendar) {

    static final Duration DAY_KEPT = Duration.ofDays(32);
    static final Duration HOUR_KEPT = Duration.ofHours(72);

    /** No entry of a catalog is younger than this and without a counter. */
    static final Duration CATALOG_KEPT = DAY_KEPT.plusDays(2);

    /** Returns the first instant at which the counters of {@code bucket} are no longer kept. */
    Instant expiry(TimeBucket bucket) {
        return calendar.end(bucket).plus(bucket.granularity() == Granularity.DAY ? DAY_KEPT : HOUR_KEPT);
    }

    /** Returns the expiry of the day that begins at {@code start}. */
    Instant dayExpiry(Instant start) {
        return expiry(new TimeBucket(Granularity.DAY, start));
    }

    /** Returns the expiry of the hour that begins at {@code start}. */
    Instant hourExpiry(Instant start) {
        return expiry(new TimeBucket(Granularity.HOUR, start));
    }
}
