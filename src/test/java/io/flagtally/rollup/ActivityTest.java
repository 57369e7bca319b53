package io.flagtally.rollup;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.flagtally.event.FlagEvent;
import io.flagtally.testing.RandomEvents;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ActivityTest {

    private static final long SEED = new Random().nextLong();
    private static final BucketCalendar UTC = new BucketCalendar(ZoneOffset.UTC);

    private final RandomEvents random = new RandomEvents(SEED);

    @Test
    void fold_anyOrderAndAnySplit_givesTheSame() {
        List<FlagEvent> events = random.events(500);
        Activity whole = Activity.of(UTC, events);
        List<FlagEvent> shuffled = new ArrayList<>(events);
        Collections.shuffle(shuffled, new Random(SEED));

        Activity merged =
                Activity.of(UTC, shuffled.subList(0, 123)).merge(Activity.of(UTC, shuffled.subList(123, 500)));

        assertEquals(whole, merged, () -> "seed " + SEED);
    }

    @Test
    void fold_twoDaysOfAUser_setsTwoBits() {
        Activity activity = at("2026-11-01T00:00:00Z", "2026-11-30T23:59:59Z", "2026-11-30T12:00:00Z");

        ActiveDays days = activity.users().values().iterator().next();

        assertEquals(new ActiveDays(3, 1 | 1 << 29), days);
    }

    @Test
    void fold_edgeOfAMonth_makesTwoMonths() {
        Activity activity = at("2026-10-31T23:59:59Z", "2026-11-01T00:00:00Z");

        assertEquals(
                List.of("2026-10", "2026-11"),
                activity.users().keySet().stream()
                        .map(key -> key.month().toString())
                        .sorted()
                        .toList());
    }

    @Test
    void fold_leapDay_isADayOfItsOwn() {
        assertEquals(
                List.of(LocalDate.of(2028, 2, 28), LocalDate.of(2028, 2, 29), LocalDate.of(2028, 3, 1)),
                days(UTC, "2028-02-28T23:59:59Z", "2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z"));
    }

    @Test
    void fold_zoneWithDaylightSaving_followsItsOffset() {
        BucketCalendar berlin = new BucketCalendar(ZoneId.of("Europe/Berlin"));

        assertEquals(
                List.of(LocalDate.of(2026, 3, 31), LocalDate.of(2026, 4, 1)),
                days(berlin, "2026-03-31T21:59:59Z", "2026-03-31T22:00:00Z"));
        assertEquals(
                List.of(LocalDate.of(2026, 10, 31), LocalDate.of(2026, 11, 1)),
                days(berlin, "2026-10-31T22:59:59Z", "2026-10-31T23:00:00Z"));
    }

    @Test
    void fold_halfHourZone_cutsAtItsMidnight() {
        BucketCalendar kolkata = new BucketCalendar(ZoneId.of("Asia/Kolkata"));

        assertEquals(
                List.of(LocalDate.of(2026, 10, 31), LocalDate.of(2026, 11, 1)),
                days(kolkata, "2026-10-31T18:29:59Z", "2026-10-31T18:30:00Z"));
    }

    private static List<LocalDate> days(BucketCalendar calendar, String... times) {
        return Activity.of(calendar, events(times)).events().keySet().stream()
                .map(DayKey::day)
                .sorted()
                .toList();
    }

    private static Activity at(String... times) {
        return Activity.of(UTC, events(times));
    }

    private static List<FlagEvent> events(String... times) {
        RandomEvents made = new RandomEvents(1);
        return Stream.of(times)
                .<FlagEvent>map(time -> RandomEvents.evaluation(made.id(), "flag", "v0", "anna", Instant.parse(time)))
                .toList();
    }
}
