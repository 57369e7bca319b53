package io.flagtally.proof;

import java.io.PrintStream;
import java.util.Map;
import java.util.TreeMap;

/** What was sent against what was counted, flag by flag. */
final class Ledger {

    /**
     * One flag.
     *
     * @param sent events in requests, repeats included
     * @param distinct different events among them
     * @param counted what the event counter says
     */
    record Line(long sent, long distinct, long counted) {

        long lost() {
            return Math.max(0, distinct - counted);
        }

        long doubled() {
            return Math.max(0, counted - distinct);
        }

        Line plus(Line other) {
            return new Line(sent + other.sent, distinct + other.distinct, counted + other.counted);
        }
    }

    private final Map<String, Line> lines = new TreeMap<>();

    void put(String flag, Line line) {
        lines.put(flag, line);
    }

    long lost() {
        return lines.values().stream().mapToLong(Line::lost).sum();
    }

    long doubled() {
        return lines.values().stream().mapToLong(Line::doubled).sum();
    }

    void print(PrintStream out) {
        out.printf("  %-12s %9s %9s %9s %7s %8s%n", "flag", "sent", "distinct", "counted", "lost", "doubled");
        Line sum = new Line(0, 0, 0);
        for (Map.Entry<String, Line> entry : lines.entrySet()) {
            Line line = entry.getValue();
            sum = sum.plus(line);
            printLine(out, entry.getKey(), line, line.lost(), line.doubled());
        }
        printLine(out, "all", sum, lost(), doubled());
    }

    private static void printLine(PrintStream out, String flag, Line line, long lost, long doubled) {
        out.printf(
                "  %-12s %,9d %,9d %,9d %,7d %,8d%n",
                flag, line.sent(), line.distinct(), line.counted(), lost, doubled);
    }
}
