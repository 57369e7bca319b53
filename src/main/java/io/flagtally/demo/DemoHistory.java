package io.flagtally.demo;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * What happened in the demo's shop before it was looked at for the first time. An hour has the same events, with the same
 * ids, however often it is asked for: sent again they are recognised.
 */
final class DemoHistory {

    /** As far back as the service takes events, but for the time that the sending takes. */
    static final Duration SPAN = Duration.ofDays(31).minusHours(2);

    private static final Duration HOUR = Duration.ofHours(1);
    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final Instant until;
    private final ZoneId zone;

    /** @param until when it ends: the moment of the first start */
    DemoHistory(Instant until, ZoneId zone) {
        this.until = until;
        this.zone = zone;
    }

    Instant oldestHour() {
        return until.minus(SPAN).truncatedTo(ChronoUnit.HOURS);
    }

    /** The events of the hour that begins at {@code start}, as JSON, by the number of the SDK that sends them. */
    Map<Integer, List<String>> hour(Instant start) {
        DemoTraffic traffic = new DemoTraffic(new Random(start.getEpochSecond() * 31 + until.getEpochSecond()), zone);
        Map<Integer, List<String>> events = new TreeMap<>();
        for (Instant minute = start; minute.isBefore(start.plus(HOUR)); minute = minute.plus(MINUTE)) {
            double size = DemoRhythm.size(Duration.between(minute, until));
            int visits = traffic.arrivals(minute, MINUTE, size);
            for (int i = 0; i < visits; i++) {
                Instant time = traffic.within(MINUTE, minute.plus(MINUTE));
                Map<Integer, List<String>> visit = traffic.visit(time, Duration.between(time, until));
                if (time.isBefore(until)) {
                    DemoTraffic.add(events, visit);
                }
            }
        }
        return events;
    }
}
