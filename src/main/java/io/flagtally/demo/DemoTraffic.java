package io.flagtally.demo;

import java.time.DayOfWeek;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZonedDateTime;
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

    /** Visits of a full day of the week at the pace of the history; some four events each. */
    static final int VISITS_A_DAY = 5_000;

    private static final int USERS = 14_000;
    private static final double WEEKEND = 0.72;
    private static final double GOAL = 0.06;
    private static final double STRAY_ERROR = 0.002;
    private static final double BURST_ERROR = 0.45;
    private static final String BURST_FLAG = "checkout-flow";
    private static final String BURST_VARIATION = "express";
    private static final String TYPE = "type.googleapis.com/bucketeer.event.client.";

    /** The SDK of a user, by {@code user % 10}; 1 Android, 2 iOS, 7 JavaScript, 9 React. */
    private static final int[] SOURCES = {7, 7, 7, 7, 9, 9, 1, 1, 1, 2};

    private static final double SECONDS_A_DAY = Duration.ofDays(1).toSeconds();

    private final Random random;
    private final ZoneId zone;

    DemoTraffic(Random random, ZoneId zone) {
        this.random = random;
        this.zone = zone;
    }

    /** The visits of a second around {@code time}, for traffic {@code times} as dense as that of the history. */
    double visitsASecond(Instant time, double times) {
        ZonedDateTime local = time.atZone(zone);
        double hour = local.toLocalTime().toSecondOfDay() / 3600.0;
        double evening = 0.5 - 0.5 * Math.cos((hour - 4) / 24 * 2 * Math.PI);
        double shape = 0.35 + 1.1 * evening + 0.35 * Math.exp(-(hour - 20) * (hour - 20) / 4);
        DayOfWeek day = local.getDayOfWeek();
        boolean weekend = day == DayOfWeek.SATURDAY || day == DayOfWeek.SUNDAY;
        return VISITS_A_DAY / SECONDS_A_DAY * shape * (weekend ? WEEKEND : 1) * times;
    }

    /** How many visits begin where {@code expected} are to be expected. */
    int arrivals(double expected) {
        int arrivals = 0;
        double left = random.nextDouble();
        double chance = Math.exp(-expected);
        for (double sum = chance; left > sum && arrivals < 1_000; sum += chance) {
            arrivals++;
            chance *= expected / arrivals;
        }
        return arrivals;
    }

    /** The events of one visit that begins at {@code time}, as JSON, by the number of the SDK that sends them. */
    Map<Integer, List<String>> visit(Instant time, Instant now) {
        double daysAgo = Duration.between(time, now).toSeconds() / SECONDS_A_DAY;
        int user = user();
        List<String> events = new ArrayList<>();
        for (DemoFlag flag : DemoFlag.ALL) {
            if (flag.isLive(daysAgo) && random.nextDouble() < flag.likelihood()) {
                events.add(evaluation(flag, flag.variationFor(user, daysAgo), user, time, daysAgo));
            }
        }
        if (random.nextDouble() < GOAL) {
            events.add(goal(user, time));
        }
        Map<Integer, List<String>> bySource = new TreeMap<>();
        bySource.put(SOURCES[user % SOURCES.length], events);
        return bySource;
    }

    /** A burst is a few hours long nine days ago, and some minutes of each hour now. */
    boolean isInErrorBurst(Instant time, double daysAgo) {
        boolean then = daysAgo > 9.05 && daysAgo < 9.25;
        long minute = time.getEpochSecond() / 60 % 60;
        return then || daysAgo < 0.5 && minute >= 20 && minute < 26;
    }

    boolean happens(double likelihood) {
        return random.nextDouble() < likelihood;
    }

    /** A moment within the {@code span} that ends at {@code end}. */
    Instant within(Duration span, Instant end) {
        return end.minusMillis((long) (random.nextDouble() * span.toMillis()));
    }

    private String evaluation(DemoFlag flag, DemoFlag.Variation variation, int user, Instant time, double daysAgo) {
        boolean burst = flag.id().equals(BURST_FLAG)
                && variation.id().equals(BURST_VARIATION)
                && isInErrorBurst(time, daysAgo)
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

    /** Some users come often, most seldom. */
    private int user() {
        double place = random.nextDouble();
        return (int) (place * Math.sqrt(place) * USERS);
    }
}
