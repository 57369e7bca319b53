package io.flagtally.rollup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class BucketCalendarTest {

    private static final List<String> ZONES = List.of(
            "UTC",
            "Asia/Kolkata",
            "Asia/Kathmandu",
            "America/New_York",
            "Australia/Lord_Howe",
            "America/Havana",
            "America/St_Johns",
            "Africa/Cairo",
            "Pacific/Apia");

    @Test
    void last_twentyFourHours_endsWithTheCurrentHour() {
        List<TimeBucket> hours = calendar("UTC").last(24, Granularity.HOUR, Instant.parse("2026-11-21T10:59:59Z"));

        assertEquals(24, hours.size());
        assertEquals(Instant.parse("2026-11-20T11:00:00Z"), hours.get(0).start());
        assertEquals(Instant.parse("2026-11-21T10:00:00Z"), hours.get(23).start());
    }

    @Test
    void last_days_endToday() {
        for (int count : new int[] {7, 14, 30}) {
            List<TimeBucket> days =
                    calendar("Asia/Tokyo").last(count, Granularity.DAY, Instant.parse("2026-11-20T15:00:00Z"));

            assertEquals(count, days.size());
            assertEquals(
                    Instant.parse("2026-11-20T15:00:00Z"), days.get(count - 1).start());
        }
    }

    @Test
    void hourStart_halfHourZone_followsTheLocalClock() {
        BucketCalendar kolkata = calendar("Asia/Kolkata");

        assertEquals(Instant.parse("2026-11-21T10:30:00Z"), kolkata.hourStart(Instant.parse("2026-11-21T10:45:00Z")));
        assertEquals(Instant.parse("2026-11-21T09:30:00Z"), kolkata.hourStart(Instant.parse("2026-11-21T10:29:59Z")));
        assertEquals(Instant.parse("2026-11-20T18:30:00Z"), kolkata.dayStart(Instant.parse("2026-11-21T10:45:00Z")));
    }

    @Test
    void last_daysOverDaylightSaving_haveTwentyThreeAndTwentyFiveHours() {
        BucketCalendar newYork = calendar("America/New_York");

        assertEquals(Duration.ofHours(23), length(newYork, LocalDate.of(2026, 3, 8)));
        assertEquals(Duration.ofHours(24), length(newYork, LocalDate.of(2026, 3, 9)));
        assertEquals(Duration.ofHours(25), length(newYork, LocalDate.of(2026, 11, 1)));
    }

    @Test
    void last_hoursOverDaylightSaving_countTheRepeatedHourTwice() {
        List<TimeBucket> hours =
                calendar("America/New_York").last(4, Granularity.HOUR, Instant.parse("2026-11-01T07:30:00Z"));

        assertEquals(
                List.of("2026-11-01T04:00:00Z", "2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z", "2026-11-01T07:00:00Z"),
                hours.stream().map(b -> b.start().toString()).toList());
    }

    @Test
    void last_clockMovesByHalfAnHour_hoursTouchWithoutOverlap() {
        List<TimeBucket> autumn =
                calendar("Australia/Lord_Howe").last(4, Granularity.HOUR, Instant.parse("2026-04-04T16:40:00Z"));
        List<TimeBucket> spring =
                calendar("Australia/Lord_Howe").last(3, Granularity.HOUR, Instant.parse("2026-10-03T16:10:00Z"));

        assertEquals(
                List.of("2026-04-04T14:00:00Z", "2026-04-04T15:00:00Z", "2026-04-04T15:30:00Z", "2026-04-04T16:30:00Z"),
                autumn.stream().map(b -> b.start().toString()).toList());
        assertEquals(
                List.of("2026-10-03T14:30:00Z", "2026-10-03T15:30:00Z", "2026-10-03T16:00:00Z"),
                spring.stream().map(b -> b.start().toString()).toList());
    }

    /** A bucket that a write chooses must be one that a read lists, whatever the zone does. */
    @Test
    void last_anyInstantOfTheRange_liesInExactlyOneListedBucket() {
        long seed = 20261121;
        SplittableRandom random = new SplittableRandom(seed);
        for (String zone : ZONES) {
            BucketCalendar calendar = calendar(zone);
            for (int i = 0; i < 500; i++) {
                Instant now = Instant.ofEpochSecond(random.nextLong(1_300_000_000, 1_900_000_000));
                for (Granularity granularity : Granularity.values()) {
                    List<TimeBucket> buckets = calendar.last(24, granularity, now);
                    Instant first = buckets.get(0).start();
                    Instant event = first.plusSeconds(
                            random.nextLong(Duration.between(first, now).toSeconds() + 1));
                    TimeBucket written = calendar.bucketOf(granularity, event);

                    String what = "seed " + seed + ", " + zone + ", now " + now + ", event " + event;
                    assertTrue(buckets.contains(written), what);
                    assertEquals(buckets, calendar.between(granularity, first, now.plusNanos(1)), what);
                    assertTrue(
                            !written.start().isAfter(event)
                                    && calendar.end(written).isAfter(event),
                            what);
                }
            }
        }
    }

    private static Duration length(BucketCalendar calendar, LocalDate date) {
        Instant start = calendar.dayStart(date);
        return Duration.between(start, calendar.dayEnd(start));
    }

    private static BucketCalendar calendar(String zone) {
        return new BucketCalendar(ZoneId.of(zone));
    }
}
