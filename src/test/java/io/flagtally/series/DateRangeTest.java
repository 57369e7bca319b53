package io.flagtally.series;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.TimeBucket;
import java.time.Instant;
import java.time.ZoneId;
import java.util.List;
import org.junit.jupiter.api.Test;

class DateRangeTest {

    private static final Instant NOW = Instant.parse("2026-11-21T10:45:00Z");

    @Test
    void buckets_days_areInclusive() {
        assertEquals(
                List.of("2026-11-19T00:00:00Z", "2026-11-20T00:00:00Z"),
                starts("2026-11-19", "2026-11-20", "DAY", "UTC"));
    }

    @Test
    void buckets_noGranularityNoEnd_areDaysUntilToday() {
        assertEquals(List.of("2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z"), starts("2026-11-20", "", "", "UTC"));
    }

    @Test
    void buckets_hoursOfToday_endWithTheCurrentHour() {
        List<String> hours = starts("2026-11-21", "2026-11-21", "HOUR", "UTC");

        assertEquals(11, hours.size());
        assertEquals("2026-11-21T10:00:00Z", hours.get(10));
    }

    @Test
    void buckets_hoursOfAHalfHourZone_beginAtHalfPast() {
        List<String> hours = starts("2026-11-20", "2026-11-21", "HOUR", "Asia/Kolkata");

        assertEquals("2026-11-19T18:30:00Z", hours.get(0));
        assertEquals("2026-11-21T10:30:00Z", hours.get(hours.size() - 1));
        assertEquals(24 + 17, hours.size());
    }

    @Test
    void buckets_hoursOfADayWithDaylightSaving_areTwentyThreeOrTwentyFive() {
        assertEquals(25, hoursOf("2026-11-01", "2026-11-03T00:00:00Z"));
        assertEquals(23, hoursOf("2026-03-08", "2026-03-10T00:00:00Z"));
    }

    @Test
    void parse_days_goBackThirtyOne() {
        assertEquals(32, starts("2026-10-21", "2026-11-21", "DAY", "UTC").size());

        refused("2026-10-20", "2026-11-21", "DAY", "from 2026-10-21 at the earliest, to 2026-11-21 at the latest");
    }

    @Test
    void parse_hours_goBackSeventyTwo() {
        assertEquals(72 - 13, starts("2026-11-19", "2026-11-21", "HOUR", "UTC").size());

        refused("2026-11-18", "2026-11-18", "HOUR", "from 2026-11-19 at the earliest");
    }

    @Test
    void parse_noRangeOfDates_saysWhatIsAllowed() {
        refused("2026-11-20", "2026-11-19", "DAY", "give from <= to");
        refused("2026-11-20", "2026-11-22", "DAY", "to 2026-11-21 at the latest");
        refused("", "2026-11-22", "DAY", "'from' is not a date");
        refused("2026-11-31", "", "DAY", "'from' is not a date");
        refused("+999999999-01-01", "", "DAY", "at the earliest");
        refused("2026-11-20", "tomorrow", "DAY", "'to' is not a date");
        refused("2026-11-20", "2026-11-20", "hour", "give HOUR or DAY");
    }

    private static int hoursOf(String date, String now) {
        BucketCalendar newYork = new BucketCalendar(ZoneId.of("America/New_York"));
        Instant instant = Instant.parse(now);
        return DateRange.parse(date, date, "HOUR", newYork, instant)
                .buckets(newYork, instant)
                .size();
    }

    private static List<String> starts(String from, String to, String granularity, String zone) {
        BucketCalendar calendar = new BucketCalendar(ZoneId.of(zone));
        return DateRange.parse(from, to, granularity, calendar, NOW).buckets(calendar, NOW).stream()
                .map(TimeBucket::start)
                .map(Instant::toString)
                .toList();
    }

    private static void refused(String from, String to, String granularity, String says) {
        RefusedException refused = assertThrows(RefusedException.class, () -> starts(from, to, granularity, "UTC"));
        assertEquals(ErrorCode.INVALID_ARGUMENT, refused.code());
        assertTrue(refused.detail().contains(says), refused.detail());
    }
}
