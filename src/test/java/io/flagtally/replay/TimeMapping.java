package io.flagtally.replay;

import io.flagtally.replay.ReplayOptions.Move;
import io.flagtally.replay.ReplayOptions.Times;
import java.time.Duration;
import java.time.Instant;

/** Moves the times of a file to where a service accepts them; keeps their order, whole seconds. */
final class TimeMapping {

    private final Times times;
    private final Instant first;
    private final Instant last;

    /**
     * @param first the earliest time of the file
     * @param last its latest
     */
    TimeMapping(Times times, Instant first, Instant last) {
        this.times = times;
        this.first = first;
        this.last = last;
    }

    Instant map(Instant time) {
        if (times.move() == Move.NONE) {
            return time;
        }
        if (times.move() == Move.SHIFT) {
            return time.plus(Duration.between(last, times.until()));
        }
        long whole = Math.max(1, Duration.between(first, last).toSeconds());
        double part = (double) Duration.between(time, last).toSeconds() / whole;
        return times.until().minusSeconds(Math.round(part * times.span().toSeconds()));
    }
}
