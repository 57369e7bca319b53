package io.flagtally.series;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.platform.error.RefusedException;
import java.time.LocalDate;
import java.util.List;
import org.junit.jupiter.api.Test;

class ActivityRangeTest {

    private static final LocalDate TODAY = LocalDate.of(2026, 11, 21);

    @Test
    void steps_months_areWholeMonths() {
        assertEquals(
                List.of(span("2026-10-01", "2026-10-31"), span("2026-11-01", "2026-11-30")),
                parse("2026-10", "", "MONTH").steps());
        assertEquals(
                parse("2026-10-15", "2026-11-02", "").steps(),
                parse("2026-10", "2026-11", "MONTH").steps());
    }

    @Test
    void steps_weeks_runFromMondayToSunday() {
        assertEquals(
                List.of(span("2026-11-09", "2026-11-15"), span("2026-11-16", "2026-11-22")),
                parse("2026-11-11", "2026-11-16", "WEEK").steps());
    }

    @Test
    void steps_rolling_endWithEachDay() {
        assertEquals(
                List.of(span("2026-10-24", "2026-11-20"), span("2026-10-25", "2026-11-21")),
                parse("2026-11-20", "", "ROLLING_28").steps());
        assertEquals(
                List.of(span("2026-10-23", "2026-11-21")),
                parse("2026-11-21", "", "ROLLING_30").steps());
    }

    @Test
    void steps_daysOfAFebruaryInALeapYear_areTwentyNine() {
        assertEquals(29, parse("2024-02", "2024-02", "DAY").steps().size());
    }

    @Test
    void parse_monthThatRunsNow_endsToday() {
        assertEquals(TODAY, parse("2026-11-01", "2026-11", "DAY").whole().to());
    }

    @Test
    void parse_noRange_isRefused() {
        assertRefused("2026-11-22", "", "DAY", "from <=");
        assertRefused("", "", "DAY", "'from'");
        assertRefused("2026-11-31", "", "DAY", "'from'");
        assertRefused("2026-11-01", "soon", "DAY", "'to'");
        assertRefused("2026-11-01", "", "YEAR", "granularity");
        assertRefused("2020-01-01", "", "DAY", "steps");
        assertRefused("2026-01-01", "", "ROLLING_28", "steps");
        assertRefused("1970-01-01", "", "MONTH", "steps");
        assertRefused("1969-12-31", "1970-01-01", "DAY", "'from' is not within 1970 to 9999");
        assertRefused("2026-11-01", "+10000-01-01", "DAY", "'to' is not within 1970 to 9999");
        for (String step : List.of("DAY", "WEEK", "MONTH", "ROLLING_28")) {
            assertRefused("-999999999-01-01", "-999999999-01-01", step, "'from' is not within");
        }
    }

    private static void assertRefused(String from, String to, String granularity, String why) {
        RefusedException refused = assertThrows(RefusedException.class, () -> parse(from, to, granularity));
        assertTrue(refused.detail().contains(why), refused.detail());
    }

    private static ActivityRange parse(String from, String to, String granularity) {
        return ActivityRange.parse(from, to, granularity, TODAY);
    }

    private static DateSpan span(String from, String to) {
        return new DateSpan(LocalDate.parse(from), LocalDate.parse(to));
    }
}
