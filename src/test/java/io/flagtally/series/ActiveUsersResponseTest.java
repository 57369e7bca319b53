package io.flagtally.series;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.SourceId;
import java.time.LocalDate;
import java.time.YearMonth;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ActiveUsersResponseTest {

    private static final LocalDate SEPTEMBER = LocalDate.of(2026, 9, 1);
    private static final LocalDate NOVEMBER = LocalDate.of(2026, 11, 21);

    @Test
    void of_closedMonths_areNotOpenEvenWithoutEventsOrSeenSdk() {
        ActivityReading reading = new ActivityReading(
                List.of(activity(null), activity(SourceId.WEB)),
                Set.of(YearMonth.of(2026, 9), YearMonth.of(2026, 10)),
                null);

        assertEquals(List.of(false, false, true), open(reading, null));
        assertEquals(List.of(false, false, true), open(reading, SourceId.WEB));
        assertEquals(List.of(false, false, true), open(reading, SourceId.IOS));
    }

    private static List<Boolean> open(ActivityReading reading, @Nullable SourceId only) {
        List<Boolean> open = new ArrayList<>();
        ActiveUsersResponse.of(
                        EnvironmentId.DEFAULT,
                        "UTC",
                        new ActivityRange(ActivityRange.Step.MONTH, SEPTEMBER, NOVEMBER),
                        only,
                        reading)
                .steps()
                .forEach(step -> open.add(step.open()));
        return open;
    }

    /** October had events, September none. */
    private static PeriodActivity activity(@Nullable SourceId source) {
        return new PeriodActivity(
                EnvironmentId.DEFAULT,
                new DateSpan(LocalDate.of(2026, 10, 1), LocalDate.of(2026, 10, 31)),
                source,
                1L,
                1,
                false,
                null);
    }
}
