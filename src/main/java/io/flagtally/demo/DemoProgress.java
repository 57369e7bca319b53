package io.flagtally.demo;

import java.time.Instant;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * How far the history of the demo is written. It stands in the name of the environment, where people see it and the next
 * start finds it; a name without it says that the history is complete.
 *
 * @param until when history ends: the moment of the first start
 * @param since everything from then on is written
 */
record DemoProgress(Instant until, Instant since) {

    private static final Pattern NAME =
            Pattern.compile("Demo shop \\(its month before (\\S+) is being written, there since (\\S+)\\)");

    static DemoProgress begin(Instant now) {
        return new DemoProgress(now, now);
    }

    /** Returns what {@code name} says, or null if it does not say that a history is being written. */
    static @Nullable DemoProgress of(@Nullable String name) {
        Matcher said = NAME.matcher(name == null ? "" : name);
        return said.matches() ? new DemoProgress(Instant.parse(said.group(1)), Instant.parse(said.group(2))) : null;
    }

    DemoProgress back(Instant to) {
        return new DemoProgress(until, to);
    }

    String name() {
        return "Demo shop (its month before " + until + " is being written, there since " + since + ")";
    }
}
