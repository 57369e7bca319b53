package io.flagtally.rollup;

import io.flagtally.event.FlagEvent;
import java.time.LocalDate;
import java.time.YearMonth;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Who was active when, by the time of the events. Evaluations and goals alike make a user active. Not safe for use by
 * several threads; once folded, only read.
 *
 * <p>Order-free, as {@link Rollup} is. Every event counts: repeats are left out before.
 */
public final class Activity {

    private final BucketCalendar calendar;
    private final Map<ActivityKey, ActiveDays> users = new HashMap<>();
    private final Map<DayKey, Long> events = new HashMap<>();

    public Activity(BucketCalendar calendar) {
        this.calendar = calendar;
    }

    /** Returns what {@code events} add up to. */
    public static Activity of(BucketCalendar calendar, Iterable<? extends FlagEvent> events) {
        Activity activity = new Activity(calendar);
        events.forEach(activity::fold);
        return activity;
    }

    /** Adds one event. */
    public void fold(FlagEvent event) {
        LocalDate day = calendar.localDate(event.time());
        ActivityKey user = new ActivityKey(event.environment(), YearMonth.from(day), event.source(), event.user());
        users.merge(user, ActiveDays.once(day.getDayOfMonth()), ActiveDays::plus);
        events.merge(new DayKey(event.environment(), day, event.source()), 1L, Long::sum);
    }

    /** Adds what {@code other} adds. */
    public Activity merge(Activity other) {
        other.users.forEach((key, days) -> users.merge(key, days, ActiveDays::plus));
        other.events.forEach((key, count) -> events.merge(key, count, Long::sum));
        return this;
    }

    /** The active users, by month and SDK. */
    public Map<ActivityKey, ActiveDays> users() {
        return Collections.unmodifiableMap(users);
    }

    /** How many events there were, by day and SDK. */
    public Map<DayKey, Long> events() {
        return Collections.unmodifiableMap(events);
    }

    @Override
    public boolean equals(@Nullable Object o) {
        return o instanceof Activity other && users.equals(other.users) && events.equals(other.events);
    }

    @Override
    public int hashCode() {
        return Objects.hash(users, events);
    }
}
