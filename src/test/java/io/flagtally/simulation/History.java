package io.flagtally.simulation;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** What happened in a run, for the report of a failure. */
final class History {

    private final List<String> lines = new ArrayList<>();
    private final VirtualTime time;
    private final Instant start;

    History(VirtualTime time) {
        this.time = time;
        this.start = time.instant();
    }

    void note(String format, Object... args) {
        long millis = time.instant().toEpochMilli() - start.toEpochMilli();
        lines.add(String.format("%9d ms  ", millis) + String.format(format, args));
    }

    @Override
    public String toString() {
        return String.join("\n", lines);
    }
}
