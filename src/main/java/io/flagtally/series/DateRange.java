package io.flagtally.series;

import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.Granularity;
import io.flagtally.rollup.TimeBucket;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.format.DateTimeParseException;
import java.util.List;

/**
 * A range of local dates for which counters are kept: days for 31 days back, hours for 72 hours back.
 *
 * @param from the first date, inclusive
 * @param to the last date, inclusive
 */
record DateRange(Granularity granularity, LocalDate from, LocalDate to) {

    /** How many days back counters of days are kept. */
    private static final int DAYS_BACK_MAX = 31;

    /** How far back counters of hours are kept. */
    private static final Duration HOURS_BACK_MAX = Duration.ofHours(72);

    /**
     * Returns the range that a query names.
     *
     * @param to today if empty
     * @param granularity days if empty
     * @throws RefusedException if it is not a range of dates, or not one for which counters are kept
     */
    static DateRange parse(String from, String to, String granularity, BucketCalendar calendar, Instant now) {
        LocalDate today = calendar.localDate(now);
        DateRange range =
                new DateRange(granularityOf(granularity), date("from", from), to.isEmpty() ? today : date("to", to));
        LocalDate earliest = earliest(range.granularity, calendar, now);
        if (range.from.isAfter(range.to) || range.from.isBefore(earliest) || range.to.isAfter(today)) {
            throw refused("The range " + range.from + " to " + range.to + " cannot be read by " + range.granularity
                    + "; give from <= to, from " + earliest + " at the earliest, to " + today
                    + " at the latest (dates of " + calendar.zone() + ").");
        }
        return range;
    }

    /** Returns the steps of this range up to the one of {@code now}, oldest first. */
    List<TimeBucket> buckets(BucketCalendar calendar, Instant now) {
        Instant end = calendar.dayStart(to.plusDays(1));
        Instant soFar = now.plusNanos(1);
        return calendar.between(granularity, calendar.dayStart(from), soFar.isBefore(end) ? soFar : end);
    }

    private static LocalDate earliest(Granularity granularity, BucketCalendar calendar, Instant now) {
        if (granularity == Granularity.DAY) {
            return calendar.localDate(now).minusDays(DAYS_BACK_MAX);
        }
        Instant oldest = now.minus(HOURS_BACK_MAX);
        LocalDate date = calendar.localDate(oldest);
        return calendar.dayStart(date).isBefore(oldest) ? date.plusDays(1) : date;
    }

    private static Granularity granularityOf(String text) {
        return switch (text) {
            case "", "DAY" -> Granularity.DAY;
            case "HOUR" -> Granularity.HOUR;
            default -> throw refused("The granularity is unknown; give HOUR or DAY.");
        };
    }

    private static LocalDate date(String name, String text) {
        try {
            return LocalDate.parse(text);
        } catch (DateTimeParseException e) {
            throw refused("The parameter '" + name + "' is not a date; give one such as 2026-11-21.");
        }
    }

    private static RefusedException refused(String detail) {
        return new RefusedException(ErrorCode.INVALID_ARGUMENT, detail);
    }
}
