package io.flagtally.series;

import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.Granularity;
import io.flagtally.rollup.TimeBucket;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The ranges of the wire contract. Each ends with the hour or the day that runs now. */
enum TimeRange {
    TWENTY_FOUR_HOURS(24, Granularity.HOUR),
    SEVEN_DAYS(7, Granularity.DAY),
    FOURTEEN_DAYS(14, Granularity.DAY),
    THIRTY_DAYS(30, Granularity.DAY);

    private final int count;
    private final Granularity granularity;

    TimeRange(int count, Granularity granularity) {
        this.count = count;
        this.granularity = granularity;
    }

    static Optional<TimeRange> of(@Nullable String name) {
        return Stream.of(values()).filter(range -> range.name().equals(name)).findFirst();
    }

    Granularity granularity() {
        return granularity;
    }

    /** Returns the steps of this range, oldest first. */
    List<TimeBucket> buckets(BucketCalendar calendar, Instant now) {
        return calendar.last(count, granularity, now);
    }
}
