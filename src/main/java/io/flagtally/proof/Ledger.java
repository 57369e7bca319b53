package io.flagtally.proof;

import java.io.PrintStream;
import java.util.Map;
import java.util.TreeMap;

/**
 * What was sent against what was counted. It is compared by variation and told by flag, so that an event lost in one
 * variation does not hide one doubled in another.
 */
final class Ledger {

    private static final Line NOTHING = new Line(0, 0, 0, 0, 0);

    /**
     * One variation, or several together.
     *
     * @param sent events in requests, repeats included
     * @param distinct different events among them
     * @param counted what the event counters say
     * @param lost how many were not counted
     * @param doubled how many were counted too much
     */
    private record Line(long sent, long distinct, long counted, long lost, long doubled) {

        Line plus(Line other) {
            return new Line(
                    sent + other.sent,
                    distinct + other.distinct,
                    counted + other.counted,
                    lost + other.lost,
                    doubled + other.doubled);
        }
    }

    private final Map<String, Line> lines = new TreeMap<>();

    /** Adds a variation of {@code flag}. */
    void add(String flag, long sent, long distinct, long counted) {
        Line line = new Line(sent, distinct, counted, Math.max(0, distinct - counted), Math.max(0, counted - distinct));
        lines.merge(flag, line, Line::plus);
    }

    long lost() {
        return sum().lost;
    }

    long doubled() {
        return sum().doubled;
    }

    private Line sum() {
        return lines.values().stream().reduce(NOTHING, Line::plus);
    }

    void print(PrintStream out) {
        out.printf("  %-12s %9s %9s %9s %7s %8s%n", "flag", "sent", "distinct", "counted", "lost", "doubled");
        lines.forEach((flag, line) -> print(out, flag, line));
        print(out, "all", sum());
    }

    private static void print(PrintStream out, String flag, Line line) {
        out.printf(
                "  %-12s %,9d %,9d %,9d %,7d %,8d%n",
                flag, line.sent, line.distinct, line.counted, line.lost, line.doubled);
    }
}
