package io.flagtally.series.live;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.time.LocalDate;
import org.jspecify.annotations.Nullable;

/** A flag that somebody watches: what was read of it, and what of it is shown. Changed by one tick at a time. */
final class WatchedFlag {

    private static final long PULSE_NANOS = Duration.ofMillis(950).toNanos();

    /**
     * What of a flag is shown.
     *
     * @param counts null if they could not be read today
     * @param rate its part of a pulse
     * @param current whether the last tick could read it
     */
    record Shown(@Nullable LivePart counts, String rate, boolean current) {}

    private final String environment;
    private final String id;
    private final ObjectMapper json;
    private final LiveRates rates = new LiveRates();

    private @Nullable LocalDate date;
    private @Nullable LiveFlag flag;
    private @Nullable Shown shown;
    private long pulseNanos;

    WatchedFlag(String environment, String id, ObjectMapper json) {
        this.environment = environment;
        this.id = id;
        this.json = json;
    }

    /** Takes what was read at {@code nanos} of {@code today}, or that it could not be read. */
    void saw(LocalDate today, @Nullable LiveFlag read, long nanos) {
        if (!today.equals(date)) {
            date = today;
            flag = null;
            shown = null;
            rates.clear();
        }
        LivePart counts = shown == null ? null : shown.counts;
        if (read != null) {
            LiveFlag next = flag == null ? read : read.noLowerThan(flag);
            rates.saw(next, nanos);
            if (!next.equals(flag)) {
                counts = LivePart.of(environment + '\n' + today, text(LiveFlagResponse.of(next)));
            }
            flag = next;
        }
        boolean pulse = shown == null || nanos - pulseNanos >= PULSE_NANOS;
        if (pulse) {
            pulseNanos = nanos;
        }
        String rate = pulse || shown == null ? text(rates.rate(id)) : shown.rate;
        shown = new Shown(counts, rate, read != null);
    }

    /** What is shown, or null as long as nobody tried to read it. */
    @Nullable
    Shown shown() {
        return shown;
    }

    private String text(Object value) {
        try {
            return json.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
