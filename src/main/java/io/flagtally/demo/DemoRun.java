package io.flagtally.demo;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * A run of the demo: it writes the history where that is missing or incomplete, the newest first, and beside it what
 * happens as time goes. Used by one thread.
 */
final class DemoRun {

    private static final Logger LOG = Logger.getLogger("io.flagtally.demo");

    static final String SHOP = "Demo shop";
    static final int EVENTS_A_REQUEST = 4_000;

    private static final Duration TICK = Duration.ofMillis(450);

    /** How much of a time without the demo it makes up for. */
    private static final Duration MADE_UP_FOR = Duration.ofHours(48);

    /** What is made up for at once. */
    private static final Duration STRIDE = Duration.ofMinutes(2);

    /** History between two notes of how far it is. */
    private static final Duration STEP = Duration.ofHours(6);

    private static final double REPEATED = 0.04;
    private static final double LATE = 0.02;
    private static final Duration LATE_AT_MOST = Duration.ofHours(30);

    private final DemoDoor door;
    private final InstantSource clock;
    private final ZoneId zone;
    private final DemoTraffic traffic;

    /** Until when the traffic of these days was sent. */
    private Instant lived;

    DemoRun(DemoDoor door, InstantSource clock, Random random, ZoneId zone) {
        this.door = door;
        this.clock = clock;
        this.zone = zone;
        this.traffic = new DemoTraffic(random, zone);
        this.lived = clock.instant();
    }

    /**
     * Goes on until the thread is interrupted.
     *
     * @throws IllegalStateException with a sentence, if the service will never take what is sent
     */
    void live() throws InterruptedException {
        Instant last = door.lastEvent();
        Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
        DemoProgress progress = progress(last, now);
        door.name(DemoFlag.labels(progress == null ? SHOP : progress.name()));
        lived = last == null || last.isAfter(now) ? now : later(last, now.minus(MADE_UP_FOR));
        goOn();
        if (progress != null) {
            writeHistory(progress);
        }
        while (true) {
            Thread.sleep(TICK.toMillis());
            goOn();
        }
    }

    /** Returns how far the history is written, null if it is complete. */
    private @Nullable DemoProgress progress(@Nullable Instant last, Instant now) throws InterruptedException {
        String name = door.environmentName();
        DemoProgress before = DemoProgress.of(name);
        return last == null && before == null ? DemoProgress.begin(now) : before;
    }

    /** The last day first, since that is what one looks at. */
    private void writeHistory(DemoProgress begun) throws InterruptedException {
        LOG.infof("The demo writes its history from %s back", begun.since());
        DemoHistory history = new DemoHistory(begun.until(), zone);
        Instant began = clock.instant();
        DemoProgress progress = begun;
        long written = 0;
        Map<Integer, List<String>> waiting = new TreeMap<>();
        Instant first = begun.since().minusNanos(1).truncatedTo(ChronoUnit.HOURS);
        for (Instant hour = first; !hour.isBefore(history.oldestHour()); hour = hour.minus(1, ChronoUnit.HOURS)) {
            DemoTraffic.add(waiting, history.hour(hour));
            written += send(waiting, EVENTS_A_REQUEST);
            if (!hour.isAfter(progress.since().minus(STEP))) {
                written += send(waiting, 1);
                progress = progress.back(hour);
                door.name(DemoFlag.labelOfEnvironment(progress.name()));
            }
        }
        written += send(waiting, 1);
        door.name(DemoFlag.labelOfEnvironment(SHOP));
        LOG.infof(
                "The demo has written its history: %,d events in %d s",
                written, Duration.between(began, clock.instant()).toSeconds());
    }

    /** Sends of what is {@code waiting} for each SDK as long as that is {@code least} events or more; returns how many. */
    private long send(Map<Integer, List<String>> waiting, int least) throws InterruptedException {
        long sent = 0;
        for (Map.Entry<Integer, List<String>> source : waiting.entrySet()) {
            List<String> events = source.getValue();
            int from = 0;
            while (events.size() - from >= least) {
                int to = Math.min(events.size(), from + EVENTS_A_REQUEST);
                door.send(source.getKey(), events.subList(from, to));
                from = to;
                goOn();
            }
            events.subList(0, from).clear();
            sent += from;
        }
        return sent;
    }

    /** Sends what has happened since the last time, in strides. */
    private void goOn() throws InterruptedException {
        Instant now = clock.instant();
        while (Duration.between(lived, now).compareTo(TICK) >= 0) {
            Instant end = earlier(now, lived.plus(STRIDE));
            stride(Duration.between(lived, end), end);
            lived = end;
            now = clock.instant();
        }
    }

    private void stride(Duration span, Instant end) throws InterruptedException {
        Map<Integer, List<String>> happened = new TreeMap<>();
        int visits = traffic.arrivals(end, span, 1);
        for (int i = 0; i < visits; i++) {
            Instant time = traffic.within(traffic.happens(LATE) ? LATE_AT_MOST : span, end);
            DemoTraffic.add(happened, traffic.visit(time, Duration.ZERO));
        }
        for (Map.Entry<Integer, List<String>> source : happened.entrySet()) {
            if (!source.getValue().isEmpty()) {
                door.send(source.getKey(), source.getValue());
                if (traffic.happens(REPEATED)) {
                    door.send(source.getKey(), source.getValue());
                }
            }
        }
    }

    private static Instant later(Instant one, Instant other) {
        return one.isAfter(other) ? one : other;
    }

    private static Instant earlier(Instant one, Instant other) {
        return one.isBefore(other) ? one : other;
    }
}
