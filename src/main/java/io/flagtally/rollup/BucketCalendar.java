package io.flagtally.rollup;

import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.zone.ZoneOffsetTransition;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * Cuts time into buckets along the local days and hours of one zone, daylight saving and half-hour offsets included.
 * Immutable.
 *
 * <p>A day begins at the first instant of its local date and is 23, 24 or 25 hours long. An hour begins where the
 * local clock shows a full hour: at Asia/Kolkata (UTC+5:30) the hour of 10:45 UTC (16:15) begins at 10:30 UTC. A change
 * of the offset begins an hour too, so that hours never overlap; where the clock moves by half an hour
 * (Australia/Lord_Howe), that makes one hour of 30 minutes.
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
        Instant fullHour = Instant.ofEpochSecond(
                Math.floorDiv(time.getEpochSecond() + offset, HOUR_SECONDS) * HOUR_SECONDS - offset);
        return changeWithin(fullHour, time).orElse(fullHour);
    }

    /** Returns the first instant after the local hour of {@code time}. */
    public Instant hourEnd(Instant time) {
        Instant start = hourStart(time);
        Instant fullHour = hourStart(start.plusSeconds(HOUR_SECONDS));
        return changeWithin(start, fullHour).orElse(fullHour);
    }

    /** Returns the local date of {@code time}. */
    public LocalDate localDate(Instant time) {
        return LocalDate.ofInstant(time, zone);
    }

    /** Returns the first instant after {@code bucket}. */
    public Instant end(TimeBucket bucket) {
        return bucket.granularity() == Granularity.HOUR ? hourEnd(bucket.start()) : dayEnd(bucket.start());
    }

    /** Returns the {@code count} buckets that end with the one of {@code now}, oldest first. */
    public List<TimeBucket> last(int count, Granularity granularity, Instant now) {
        List<TimeBucket> buckets = new ArrayList<>(count);
        TimeBucket bucket = bucketOf(granularity, now);
        for (int i = 0; i < count; i++) {
            buckets.add(bucket);
            bucket = bucketOf(granularity, bucket.start().minusNanos(1));
        }
        Collections.reverse(buckets);
        return buckets;
    }

    /** Returns the buckets that hold the instants from {@code from} (inclusive) to {@code to} (exclusive). */
    public List<TimeBucket> between(Granularity granularity, Instant from, Instant to) {
        List<TimeBucket> buckets = new ArrayList<>();
        for (TimeBucket b = bucketOf(granularity, from); b.start().isBefore(to); b = bucketOf(granularity, end(b))) {
            buckets.add(b);
        }
        return buckets;
    }

    private Optional<Instant> changeWithin(Instant after, Instant upTo) {
        return Optional.ofNullable(zone.getRules().nextTransition(after))
                .map(ZoneOffsetTransition::getInstant)
                .filter(change -> !change.isAfter(upTo));
    }
}
