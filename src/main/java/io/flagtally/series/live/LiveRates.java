package io.flagtally.series.live;

import io.flagtally.event.VariationId;
import io.flagtally.series.FlagSeries.VariationSeries;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** How fast a flag is counted: a look at its counters now, against one some ten seconds ago. Not thread-safe. */
final class LiveRates {

    private static final long WINDOW_NANOS = Duration.ofSeconds(10).toNanos();
    private static final long KNOWN_AFTER_NANOS = Duration.ofSeconds(2).toNanos();

    /** Looks are kept no closer than this, so there are at most 41 of them. */
    private static final long APART_NANOS = Duration.ofMillis(250).toNanos();

    private record Look(long nanos, LiveFlag flag) {}

    /** A flag's rate as a stream words it. */
    record RateResponse(String featureId, @Nullable Double eventsPerSecond, List<VariationRate> variations) {}

    record VariationRate(String variationId, @Nullable Double eventsPerSecond) {}

    private final Deque<Look> looks = new ArrayDeque<>();
    private @Nullable Look now;

    /** Takes a look at a flag. */
    void saw(LiveFlag flag, long nanos) {
        now = new Look(nanos, flag);
        Look last = looks.peekLast();
        if (last == null || nanos - last.nanos >= APART_NANOS) {
            looks.addLast(now);
        }
        // The first one that is kept is the last one that is ten seconds old.
        while (looks.size() > 1 && nanos - second().nanos >= WINDOW_NANOS) {
            looks.removeFirst();
        }
    }

    /** Forgets everything: the counters begin at zero. */
    void clear() {
        looks.clear();
        now = null;
    }

    int size() {
        return looks.size();
    }

    /** Returns how fast the flag {@code id} was counted up to the last look; unknown within two seconds of the first. */
    RateResponse rate(String id) {
        Look first = looks.peekFirst();
        if (now == null || first == null || now.nanos - first.nanos < KNOWN_AFTER_NANOS) {
            return new RateResponse(id, null, List.of());
        }
        double seconds = (now.nanos - first.nanos) / 1e9;
        Map<VariationId, Long> before = new HashMap<>();
        first.flag.today().variations().forEach(each -> before.put(each.variation(), each.eventsTotal()));
        List<VariationRate> variations = now.flag.today().variations().stream()
                .map(each -> new VariationRate(each.variation().value(), rounded(since(before, each) / seconds)))
                .toList();
        return new RateResponse(id, rounded((now.flag.events() - first.flag.events()) / seconds), variations);
    }

    private Look second() {
        var all = looks.iterator();
        all.next();
        return all.next();
    }

    private static long since(Map<VariationId, Long> before, VariationSeries now) {
        return now.eventsTotal() - before.getOrDefault(now.variation(), 0L);
    }

    private static double rounded(double rate) {
        return Math.round(rate * 10) / 10.0;
    }
}
