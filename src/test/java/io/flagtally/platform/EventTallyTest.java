package io.flagtally.platform;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;

class EventTallyTest {

    private static final Instant HOUR = Instant.parse("2026-11-21T06:00:00Z");

    private Instant now = HOUR.plusSeconds(10);
    private final EventTally tally = new EventTally(() -> now);

    @Test
    void add_overAnHoursEnd_goesToTheHourItIsSeenIn() {
        tally.add("accepted", 2);
        now = HOUR.plus(Duration.ofHours(1));
        tally.addAll(Map.of("accepted", 3L, "delivered", 5L, "imported", 0L));

        assertEquals(Map.of(HOUR, Map.of("accepted", 2L), now, Map.of("accepted", 3L, "delivered", 5L)), tally.hours());
        assertEquals(5, tally.total("accepted"));
    }

    @Test
    void forget_whatWasTaken_keepsTheHourThatRunsAndWhatCameSince() {
        tally.add("accepted", 2);
        Map<Instant, Map<String, Long>> early = tally.hours();
        tally.add("accepted", 1);
        now = HOUR.plus(Duration.ofHours(1));
        tally.add(HOUR.plusSeconds(3_599), "accepted", 1);
        tally.forget(tally.hours());
        assertEquals(Map.of(HOUR, Map.of("accepted", 4L)), tally.hours(), "a request of that hour may still end");
        now = HOUR.plus(EventTally.OPEN).plus(Duration.ofHours(1));
        tally.add("accepted", 4);

        tally.forget(early);
        assertEquals(2, tally.hours().size(), "one more was added to the hour since it was taken");
        tally.forget(tally.hours());
        assertEquals(Map.of(now, Map.of("accepted", 4L)), tally.hours());
    }

    @Test
    void add_whileNobodyTakesOver_isBounded() {
        for (int hour = 0; hour < 100; hour++) {
            now = HOUR.plus(Duration.ofHours(hour));
            tally.add("accepted", 1);
        }

        assertEquals(EventTally.HOURS_MAX, tally.hours().size());
    }
}
