package io.flagtally.rollup;

/**
 * What a user did within one month.
 *
 * @param events how many events
 * @param days the days of the month with one: the lowest bit stands for the first
 */
public record ActiveDays(long events, int days) {

    /** Returns one event on {@code dayOfMonth}, 1 to 31. */
    static ActiveDays once(int dayOfMonth) {
        return new ActiveDays(1, 1 << (dayOfMonth - 1));
    }

    /** Returns what both add up to. */
    public ActiveDays plus(ActiveDays other) {
        return new ActiveDays(events + other.events, days | other.days);
    }
}
