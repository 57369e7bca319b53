package io.flagtally.retail;

import io.flagtally.replay.ReplayEvent;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** What a service must have counted: events and users of each flag and variation, in total and by day (UTC). */
final class RetailCounts {

    /** The lines of a variation. */
    static final class Cell {
        long events;
        final Set<String> users = new HashSet<>();
        final Map<LocalDate, Long> eventsByDay = new TreeMap<>();
        final Map<LocalDate, Set<String>> usersByDay = new HashMap<>();

        private void add(String user, LocalDate day) {
            events++;
            users.add(user);
            eventsByDay.merge(day, 1L, Long::sum);
            usersByDay.computeIfAbsent(day, d -> new HashSet<>()).add(user);
        }
    }

    private final Map<String, Map<String, Cell>> flags = new TreeMap<>();
    private long anonymous;
    private long events;

    /** Counts the first lines of {@code file}, its times mapped into {@code span} before {@code until}. */
    static RetailCounts of(RetailFile file, long linesMax, Instant until, Duration span) throws IOException {
        long[] edges = {Long.MAX_VALUE, Long.MIN_VALUE};
        file.forEach(linesMax, line -> {
            edges[0] = Math.min(edges[0], line.epochSecond());
            edges[1] = Math.max(edges[1], line.epochSecond());
        });
        RetailCounts counts = new RetailCounts();
        double scale = (double) span.toSeconds() / (edges[1] - edges[0]);
        file.forEach(linesMax, line -> {
            long back = Math.round((edges[1] - line.epochSecond()) * scale);
            counts.add(line, until.getEpochSecond() - back);
        });
        return counts;
    }

    /** Counts nothing yet; for {@link #add(ReplayEvent)}. */
    static RetailCounts empty() {
        return new RetailCounts();
    }

    private void add(RetailFile.Line line, long epochSecond) {
        if (line.user().isEmpty()) {
            anonymous++;
            return;
        }
        add(line.flag(), line.variation(), line.user(), Instant.ofEpochSecond(epochSecond));
    }

    synchronized void add(ReplayEvent event) {
        add(event.subject(), event.variation(), event.user(), event.time());
    }

    private void add(String flag, String variation, String user, Instant time) {
        events++;
        flags.computeIfAbsent(flag, f -> new TreeMap<>())
                .computeIfAbsent(variation, v -> new Cell())
                .add(user, LocalDate.ofInstant(time, ZoneOffset.UTC));
    }

    Map<String, Map<String, Cell>> flags() {
        return flags;
    }

    /** Returns the users of each day with an event, whatever the flag. */
    Map<LocalDate, Set<String>> usersByDay() {
        Map<LocalDate, Set<String>> all = new TreeMap<>();
        flags.values()
                .forEach(variations -> variations
                        .values()
                        .forEach(cell -> cell.usersByDay.forEach((day, users) ->
                                all.computeIfAbsent(day, d -> new HashSet<>()).addAll(users))));
        return all;
    }

    /** Returns the events of each day with one, whatever the flag. */
    Map<LocalDate, Long> eventsByDay() {
        Map<LocalDate, Long> all = new TreeMap<>();
        flags.values()
                .forEach(variations -> variations
                        .values()
                        .forEach(cell -> cell.eventsByDay.forEach((day, events) -> all.merge(day, events, Long::sum))));
        return all;
    }

    long anonymous() {
        return anonymous;
    }

    long events() {
        return events;
    }
}
