package io.flagtally.platform;

import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * What this process has seen of events, by the hour (UTC) in which it saw it. Nothing but sums: it is told a few times for
 * a request or a batch, never for an event. Safe for use by several threads; what is added together is seen together.
 */
@Singleton
public class EventTally {

    /** Events whose sender was told that they are safe, in the hour in which their request came. */
    public static final String ACCEPTED = "accepted";

    /** Events of files. */
    public static final String IMPORTED = "imported";

    /** Events that came through the channel and were settled. */
    public static final String DELIVERED = "delivered";

    /** Those of them that no sink was given. */
    public static final String MALFORMED = "malformed";

    /** Before the error code: events that a door refused. */
    public static final String REFUSED = "refused/";

    /** Before the error code: events that were put aside. */
    public static final String SET_ASIDE = "aside/";

    /** Before the sink: events that it was given and that concern it. */
    public static final String OFFERED = "offered/";

    /** Before the sink: events that it wrote. */
    public static final String COUNTED = "counted/";

    /** Before the sink: events that it recognised as written before. */
    public static final String DUPLICATES = "duplicates/";

    /** Before the sink: events that it will never take. */
    public static final String REJECTED = "rejected/";

    /** Hours that are kept while nobody takes them over; older ones are given up. */
    static final int HOURS_MAX = 48;

    /** For how long an hour that has passed may still be added to: longer than any request takes. */
    static final Duration OPEN = Duration.ofHours(2);

    private final InstantSource clock;
    private final TreeMap<Instant, Map<String, Long>> hours = new TreeMap<>();
    private final Map<String, Long> totals = new HashMap<>();

    @Inject
    public EventTally(InstantSource clock) {
        this.clock = clock;
    }

    /** Adds to one entry. */
    public void add(String entry, long events) {
        addAll(Map.of(entry, events));
    }

    /** Adds to one entry what was seen at {@code at}, a while ago but less than {@link #OPEN}. */
    public void add(Instant at, String entry, long events) {
        addAll(at, Map.of(entry, events));
    }

    /** Adds to several entries at once; zeros are left out. */
    public void addAll(Map<String, Long> events) {
        addAll(clock.instant(), events);
    }

    private synchronized void addAll(Instant at, Map<String, Long> events) {
        Map<String, Long> hour = hours.computeIfAbsent(at.truncatedTo(ChronoUnit.HOURS), start -> new HashMap<>());
        events.forEach((entry, count) -> {
            if (count != 0) {
                hour.merge(entry, count, Long::sum);
                totals.merge(entry, count, Long::sum);
            }
        });
        while (hours.size() > HOURS_MAX) {
            hours.pollFirstEntry();
        }
    }

    /** Returns the sums of each hour that is kept. */
    public synchronized Map<Instant, Map<String, Long>> hours() {
        Map<Instant, Map<String, Long>> copy = new TreeMap<>();
        hours.forEach((hour, entries) -> copy.put(hour, Map.copyOf(entries)));
        return copy;
    }

    /** Gives up the hours of {@code taken} that nothing is added to any more and that stand as they were taken. */
    public synchronized void forget(Map<Instant, Map<String, Long>> taken) {
        Instant open = clock.instant().minus(OPEN).truncatedTo(ChronoUnit.HOURS);
        taken.forEach((hour, entries) -> {
            if (hour.isBefore(open)) {
                hours.remove(hour, entries);
            }
        });
    }

    /** Returns the sum of an entry since this process began. */
    public synchronized long total(String entry) {
        return totals.getOrDefault(entry, 0L);
    }
}
