package io.flagtally.store.postgres;

import io.flagtally.event.FlagEvent;
import io.flagtally.pipeline.RejectedEvent;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.rollup.Activity;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.EventBatch;
import java.time.Instant;
import java.time.LocalDate;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;

/**
 * The events of a batch on their way into the tables of active users: each distinct event once, by its key, without
 * those whose period is closed.
 */
final class ActiveUsersFlush {

    private record Entry(FlagEvent event, String month, String day) {}

    private final BucketCalendar calendar;
    private final boolean recognising;
    private final List<Entry> entries;
    private final List<RejectedEvent> rejected = new ArrayList<>();
    private final Set<String> months = new TreeSet<>();
    private final Set<String> days = new TreeSet<>();
    private final TreeSet<String> daysOfKeys = new TreeSet<>();

    /** Days and environments of which it turned out that their event ids were dropped. */
    private final Set<String> dropped = new HashSet<>();

    /** Distinct events by key, in the order in which every process locks them. */
    private final TreeMap<UUID, FlagEvent> byKey = new TreeMap<>();

    /** @param recognising whether repeats are left out */
    ActiveUsersFlush(EventBatch batch, BucketCalendar calendar, boolean recognising) {
        this.calendar = calendar;
        this.recognising = recognising;
        Map<LocalDate, String> monthTexts = new HashMap<>();
        Map<LocalDate, String> dayTexts = new HashMap<>();
        entries = new ArrayList<>(batch.size());
        for (FlagEvent event : batch.events()) {
            Instant time = event.time();
            String month = monthTexts.computeIfAbsent(calendar.localDate(time), date -> text(YearMonth.from(date)));
            String day = dayTexts.computeIfAbsent(LocalDate.ofInstant(time, ZoneOffset.UTC), date -> text(date));
            entries.add(new Entry(event, month, day));
            months.add(month);
            if (recognising) {
                days.add(day);
            }
        }
    }

    /** The months, and the days of event ids, that this flush writes to. */
    Collection<String> periods() {
        List<String> periods = new ArrayList<>(months);
        periods.addAll(days);
        return periods;
    }

    /** The days of the event ids that {@link #keys} holds, in order. */
    String[] days() {
        return daysOfKeys.toArray(String[]::new);
    }

    /** Those of them that had ended by {@code end}. */
    String[] daysBefore(Instant end) {
        String first = text(LocalDate.ofInstant(end, ZoneOffset.UTC));
        return daysOfKeys.headSet(first).toArray(String[]::new);
    }

    String[] environments() {
        return entries.stream()
                .map(entry -> entry.event.environment().value())
                .distinct()
                .toArray(String[]::new);
    }

    /** Takes note that the event ids of a day were dropped, of an environment that had some. False if that was known. */
    boolean lose(String day, String environment) {
        return dropped.add(lost(day, environment));
    }

    private static String lost(String day, String environment) {
        return day + " " + environment;
    }

    /** Rejects the events whose month is closed, or whose event ids were dropped; keys the others. */
    void settle(Set<String> closed) {
        byKey.clear();
        daysOfKeys.clear();
        rejected.clear();
        EventKey key = new EventKey();
        for (Entry entry : entries) {
            if (closed.contains(entry.month)) {
                rejected.add(monthClosed(entry));
            } else if (recognising && (closed.contains(entry.day) || isLost(entry))) {
                rejected.add(identitiesDropped(entry));
            } else if (recognising) {
                byKey.put(key.of(entry.event), entry.event);
                daysOfKeys.add(entry.day);
            }
        }
    }

    private boolean isLost(Entry entry) {
        return !dropped.isEmpty()
                && dropped.contains(lost(entry.day, entry.event.environment().value()));
    }

    /** The keys of the distinct events, in the order in which every process locks them. */
    UUID[] keys() {
        return byKey.keySet().toArray(UUID[]::new);
    }

    /** Returns what the events with these keys add up to. */
    Activity fresh(Collection<UUID> keys) {
        Activity activity = new Activity(calendar);
        if (keys.size() == byKey.size()) {
            byKey.values().forEach(activity::fold);
        } else {
            for (UUID key : keys) {
                FlagEvent event = byKey.get(key);
                if (event == null) {
                    throw new IllegalStateException("PostgreSQL returned an event that was not sent");
                }
                activity.fold(event);
            }
        }
        return activity;
    }

    /** Returns what all events add up to, repeats included. */
    Activity everything() {
        Activity activity = new Activity(calendar);
        Set<FlagEvent> out = Collections.newSetFromMap(new IdentityHashMap<>());
        rejected.forEach(r -> out.add(r.event()));
        for (Entry entry : entries) {
            if (!out.contains(entry.event)) {
                activity.fold(entry.event);
            }
        }
        return activity;
    }

    /** How many events are not rejected, repeats included. */
    int acceptable() {
        return entries.size() - rejected.size();
    }

    List<RejectedEvent> rejected() {
        return rejected;
    }

    /** Returns {@code 202611}. */
    static String text(YearMonth month) {
        return String.valueOf(month.getYear() * 100 + month.getMonthValue());
    }

    /** Returns {@code 20261121}. */
    static String text(LocalDate day) {
        return String.valueOf((day.getYear() * 100 + day.getMonthValue()) * 100 + day.getDayOfMonth());
    }

    private static RejectedEvent monthClosed(Entry entry) {
        return new RejectedEvent(
                entry.event,
                ErrorCode.MONTH_CLOSED,
                "month closed: the rows of " + entry.month + " were dropped when their retention ended, so "
                        + named(entry.event) + " of " + entry.event.time() + " is not counted among the active users");
    }

    private static RejectedEvent identitiesDropped(Entry entry) {
        return new RejectedEvent(
                entry.event,
                ErrorCode.DEDUPLICATION_WINDOW_PASSED,
                "the ids of the events of " + entry.day + " (UTC) were dropped, so whether " + named(entry.event)
                        + " was counted is no longer known; flagtally.mau.event-ids-retention keeps them for longer");
    }

    private static String named(FlagEvent event) {
        return event.match(evaluation -> "an evaluation of " + evaluation.flag(), goal -> "a goal " + goal.goal());
    }
}
