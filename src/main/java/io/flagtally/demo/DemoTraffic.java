package io.flagtally.demo;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;

/**
 * What the users of the demo do: visits with a daily and weekly rhythm, each of one user, who meets some flags and now
 * and then reaches a goal. Not safe for use by several threads.
 */
final class DemoTraffic {

    static final int USERS = 40_000;

    private static final double SEEN_SELDOM = 0.04;
    private static final double SEEN_OFTEN = 0.8;

    /** Of all users, those who were there before the shop grew. */
    private static final double FIRST_USERS = 0.35;

    private static final double GOAL = 0.06;
    private static final double STRAY_ERROR = 0.002;
    private static final double BURST_ERROR = 0.6;
    private static final String BURST_FLAG = "checkout-flow";
    private static final String BURST_VARIATION = "express";
    private static final String TYPE = "type.googleapis.com/bucketeer.event.client.";

    /** The SDK of a user, by {@code user % 10}; 1 Android, 2 iOS, 7 JavaScript, 9 React. */
    private static final int[] SOURCES = {7, 7, 7, 7, 9, 9, 1, 1, 1, 2};

    private final Random random;
    private final ZoneId zone;
    private final DemoRhythm rhythm;

    /** The part of a visit that was to be expected and has not begun. */
    private double owed;

    DemoTraffic(Random random, ZoneId zone) {
        this.random = random;
        this.zone = zone;
        this.rhythm = new DemoRhythm(zone);
        this.owed = random.nextDouble();
    }

    static void add(Map<Integer, List<String>> to, Map<Integer, List<String>> more) {
        more.forEach((source, events) ->
                to.computeIfAbsent(source, unused -> new ArrayList<>()).addAll(events));
    }

    /**
     * How many visits begin in the {@code span} after {@code time}. Over several spans they are as many as are to be
     * expected, so that no ten seconds are without any.
     */
    int arrivals(Instant time, Duration span, double size) {
        owed += rhythm.visitsASecond(time) * size * span.toMillis() / 1000.0;
        int arrivals = (int) owed;
        owed -= arrivals;
        return arrivals;
    }

    /**
     * The events of one visit that begins at {@code time}, as JSON, by the number of the SDK that sends them.
     *
     * @param ago how long before the end of history; zero or less for what happens after it
     */
    Map<Integer, List<String>> visit(Instant time, Duration ago) {
        double daysAgo = DemoRhythm.days(ago);
        int user = user(time, DemoRhythm.size(ago));
        List<String> events = new ArrayList<>();
        for (DemoFlag flag : DemoFlag.ALL) {
            if (flag.isLive(daysAgo) && random.nextDouble() < flag.likelihood()) {
                events.add(evaluation(flag, flag.variationFor(user, daysAgo), user, time, ago));
            }
        }
        if (random.nextDouble() < GOAL) {
            events.add(goal(user, time));
        }
        Map<Integer, List<String>> bySource = new TreeMap<>();
        bySource.put(SOURCES[user % SOURCES.length], events);
        return bySource;
    }

    /** A burst half a day long nine days ago, one of some hours on the last day, and some minutes of each hour now. */
    static boolean isInErrorBurst(Instant time, Duration ago) {
        double hours = ago.toSeconds() / 3600.0;
        long minute = time.getEpochSecond() / 60 % 60;
        return hours > 216 && hours < 230 || hours > 5 && hours < 7.5 || hours <= 0 && minute >= 20 && minute < 26;
    }

    boolean happens(double likelihood) {
        return random.nextDouble() < likelihood;
    }

    /** A moment within the {@code span} that ends at {@code end}. */
    Instant within(Duration span, Instant end) {
        return end.minusMillis((long) (random.nextDouble() * span.toMillis()));
    }

    private String evaluation(DemoFlag flag, DemoFlag.Variation variation, int user, Instant time, Duration ago) {
        boolean burst = flag.id().equals(BURST_FLAG)
                && variation.id().equals(BURST_VARIATION)
                && isInErrorBurst(time, ago)
                && happens(BURST_ERROR);
        String reason = burst ? "ERROR_EXCEPTION" : happens(STRAY_ERROR) ? "ERROR_NO_EVALUATIONS" : "RULE";
        return event(
                "EvaluationEvent",
                time,
                "\"featureId\":\"" + flag.id() + "\",\"variationId\":\"" + variation.id() + "\",\"userId\":\"user-"
                        + user + "\",\"reason\":{\"type\":\"" + reason + "\"}");
    }

    private String goal(int user, Instant time) {
        long cents = 900 + random.nextInt(9_000);
        return event(
                "GoalEvent",
                time,
                "\"goalId\":\"purchase\",\"userId\":\"user-" + user + "\",\"value\":" + cents / 100.0);
    }

    private String event(String type, Instant time, String fields) {
        long high = random.nextLong() & ~0xF000L | 0x4000L;
        long low = random.nextLong() & ~(0b11L << 62) | 0b10L << 62;
        return "{\"id\":\"" + new UUID(high, low) + "\",\"event\":{\"@type\":\"" + TYPE + type + "\",\"timestamp\":"
                + time.getEpochSecond() + "," + fields + "}}";
    }

    /** Some users come on most days, most on few; with the shop their number has grown. */
    private int user(Instant time, double size) {
        LocalDate day = LocalDate.ofInstant(time, zone);
        int users = (int) (USERS * (FIRST_USERS + (1 - FIRST_USERS) * size));
        double ofDay = DemoRhythm.ofDay(day.getDayOfWeek());
        while (true) {
            int user = random.nextInt(users);
            double habit = chance(user, 0);
            double seen = SEEN_SELDOM + SEEN_OFTEN * habit * habit * habit;
            if (chance(user, day.toEpochDay()) < seen * ofDay) {
                return user;
            }
        }
    }

    /** A number from 0 to 1 that belongs to a user and a day. */
    private static double chance(int user, long day) {
        long mixed = (user * 0x9E3779B97F4A7C15L ^ day * 0xC2B2AE3D27D4EB4FL) * 0xFF51AFD7ED558CCDL;
        mixed = (mixed ^ mixed >>> 33) * 0xC4CEB9FE1A85EC53L;
        return (mixed >>> 11) * 0x1.0p-53;
    }
}
