package io.flagtally.rollup;

import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/**
 * Cuts time into buckets along the local days and hours of one zone, daylight saving and half-hour offsets included.
 * Immutable.
 *
 * <p>A day begins at the first instant of its local date and is 23, 24 or 25 hours long. An hour begins where the
 * local clock shows a full hour: at Asia/Kolkata (UTC+5:30) the hour of 10:45 UTC (16:15) begins at 10:30 UTC.
 */
public record BucketCalendar(ZoneId zone) {

    private static final long HOUR_SECONDS = 3600;

    /** Returns the bucket of {@code granularity} that holds {@code time}. */
    public TimeBucket bucketOf(Granularity granularity, Instant time) {
        return new TimeBucket(granularity, granularity == Granularity.HOUR ? hourStart(time) : dayStart(time));
    }

    /** Returns the first instant of the local day of {@code time}. */
    public Instant dayStart(Instant time) {
        return dayStart(localDate(time));
    }

    /** Returns the first instant of {@code date}; not always midnight, where a zone skips it. */
    public Instant dayStart(LocalDate date) {
        return date.atStartOfDay(zone).toInstant();
    }

    /** Returns the first instant after the local day of {@code time}. */
    public Instant dayEnd(Instant time) {
        return dayStart(localDate(time).plusDays(1));
    }

    /** Returns the first instant of the local hour of {@code time}. */
    public Instant hourStart(Instant time) {
        long offset = zone.getRules().getOffset(time).getTotalSeconds();
        return Instant.ofEpochSecond(
                Math.floorDiv(time.getEpochSecond() + offset, HOUR_SECONDS) * HOUR_SECONDS - offset);
    }

    /** Returns the local date of {@code time}. */
    public LocalDate localDate(Instant time) {
        return LocalDate.ofInstant(time, zone);
    }

    /** Returns the {@code count} buckets that end with the one of {@code now}, oldest first. */
    public List<TimeBucket> last(int count, Granularity granularity, Instant now) {
        List<TimeBucket> buckets = new ArrayList<>(count);
        if (granularity == Granularity.DAY) {
            LocalDate today = localDate(now);
            for (int back = count - 1; back >= 0; back--) {
                buckets.add(new TimeBucket(Granularity.DAY, dayStart(today.minusDays(back))));
            }
        } else {
            for (int back = count - 1; back >= 0; back--) {
                buckets.add(bucketOf(Granularity.HOUR, now.minus(back, ChronoUnit.HOURS)));
            }
        }
        return buckets;
    }
}
