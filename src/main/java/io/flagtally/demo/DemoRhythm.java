package io.flagtally.demo;

import java.time.DayOfWeek;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.Random;

/** How busy the shop of the demo is at a moment, in history as now. Pure. */
final class DemoRhythm {

    /** Visits of a weekday; some four events each. */
    static final int VISITS_A_DAY = 70_000;

    private static final double SECONDS_A_DAY = Duration.ofDays(1).toSeconds();
    private static final double WEEKEND = 0.72;
    private static final int HOURS_OF_CHANGE = 5;

    /** By how much an hour may be off what is usual. */
    private static final double UNEVEN = 0.06;

    /** The shop has grown up to some days ago: before them, by this factor in so many days. */
    private static final double GROWN_DAYS_AGO = 3;

    private static final double DAYS_TO_GROW_BY_E = 7.5;

    private final ZoneId zone;

    DemoRhythm(ZoneId zone) {
        this.zone = zone;
    }

    /** The visits of a second around {@code time}. */
    double visitsASecond(Instant time) {
        ZonedDateTime local = time.atZone(zone);
        double hour = local.toLocalTime().toSecondOfDay() / 3600.0;
        double evening = 0.5 - 0.5 * Math.cos((hour - 4) / 24 * 2 * Math.PI);
        double shape = 0.35 + 1.1 * evening + 0.35 * Math.exp(-(hour - 20) * (hour - 20) / 4);
        return VISITS_A_DAY / SECONDS_A_DAY * shape * ofWeek(local) * ofHour(time);
    }

    /** How large the shop was so long {@code ago}: 1 in these days, less before. */
    static double size(Duration ago) {
        return Math.exp(-Math.max(0, days(ago) - GROWN_DAYS_AGO) / DAYS_TO_GROW_BY_E);
    }

    static double days(Duration duration) {
        return duration.toSeconds() / SECONDS_A_DAY;
    }

    static double ofDay(DayOfWeek day) {
        return day == DayOfWeek.SATURDAY || day == DayOfWeek.SUNDAY ? WEEKEND : 1;
    }

    /** The weekend begins and ends by and by, not at midnight. */
    private static double ofWeek(ZonedDateTime time) {
        double sum = 0;
        for (int hours = -HOURS_OF_CHANGE; hours <= HOURS_OF_CHANGE; hours++) {
            sum += ofDay(time.plusHours(hours).getDayOfWeek());
        }
        return sum / (2 * HOURS_OF_CHANGE + 1);
    }

    private static double ofHour(Instant time) {
        long hour = Math.floorDiv(time.getEpochSecond(), 3600L);
        return 1 - UNEVEN + 2 * UNEVEN * new Random(hour).nextDouble();
    }
}
