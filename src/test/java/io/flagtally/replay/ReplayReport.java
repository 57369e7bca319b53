package io.flagtally.replay;

import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/** What became of a replay. Filled by several threads, then read. */
public final class ReplayReport {

    private static final int DIGITS = 3;

    private final LongAdder accepted = new LongAdder();
    private final Map<String, LongAdder> refused = new ConcurrentSkipListMap<>();
    private final Map<String, LongAdder> unanswered = new ConcurrentSkipListMap<>();
    private final Map<Integer, LongAdder> attempts = new ConcurrentSkipListMap<>();
    private final Histogram latencyMicros = new ConcurrentHistogram(DIGITS);
    private long startedNanos;
    private long tookNanos;

    void begin() {
        startedNanos = System.nanoTime();
    }

    void end() {
        tookNanos = System.nanoTime() - startedNanos;
    }

    void attempted(int status) {
        attempts.computeIfAbsent(status, s -> new LongAdder()).increment();
    }

    void accepted(int events, long latencyNanos) {
        accepted.add(events);
        latencyMicros.recordValue(latencyNanos / 1_000);
    }

    void refused(String why) {
        refused.computeIfAbsent(why, w -> new LongAdder()).increment();
    }

    void unanswered(int events, String why) {
        unanswered.computeIfAbsent(why, w -> new LongAdder()).add(events);
    }

    /** Events that have their last answer. */
    public long done() {
        return accepted() + refusedTotal() + unansweredTotal();
    }

    /** Events that the service took; those it had before are among them. */
    public long accepted() {
        return accepted.sum();
    }

    /** How many events the service refused, by its reason. */
    public Map<String, Long> refused() {
        Map<String, Long> sums = new ConcurrentSkipListMap<>();
        refused.forEach((why, count) -> sums.put(why, count.sum()));
        return sums;
    }

    /** Events whose request was given up. */
    public long unansweredTotal() {
        return unanswered.values().stream().mapToLong(LongAdder::sum).sum();
    }

    /** How many requests got {@code status}; 0 is no answer. */
    public long attempts(int status) {
        LongAdder count = attempts.get(status);
        return count == null ? 0 : count.sum();
    }

    /** Accepted and refused events a second. */
    public double eventsPerSecond() {
        return tookNanos == 0 ? 0 : (accepted() + refusedTotal()) * 1e9 / tookNanos;
    }

    private long refusedTotal() {
        return refused.values().stream().mapToLong(LongAdder::sum).sum();
    }

    /** For a person, several lines. */
    public String text() {
        StringBuilder text = new StringBuilder();
        line(text, "sent", String.format(Locale.ROOT, "%,d events", done()));
        line(text, "accepted", String.format(Locale.ROOT, "%,d", accepted()));
        line(text, "refused", String.format(Locale.ROOT, "%,d", refusedTotal()));
        refused.forEach((why, count) -> line(text, "", String.format(Locale.ROOT, "%,d  %s", count.sum(), why)));
        line(text, "given up", String.format(Locale.ROOT, "%,d", unansweredTotal()));
        unanswered.forEach((why, count) -> line(text, "", String.format(Locale.ROOT, "%,d  %s", count.sum(), why)));
        line(
                text,
                "requests",
                String.format(
                        Locale.ROOT,
                        "%,d",
                        attempts.values().stream().mapToLong(LongAdder::sum).sum()));
        attempts.forEach((status, count) ->
                line(text, "", String.format(Locale.ROOT, "%,d  %s", count.sum(), status == 0 ? "no answer" : status)));
        line(
                text,
                "rate",
                String.format(Locale.ROOT, "%,.0f events/s over %.1f s", eventsPerSecond(), tookNanos / 1e9));
        line(text, "latency", latency());
        return text.toString();
    }

    private String latency() {
        Histogram copy = latencyMicros.copy();
        return String.format(
                Locale.ROOT,
                "p50 %.1f ms, p90 %.1f ms, p99 %.1f ms, p99.9 %.1f ms, max %.1f ms a request",
                copy.getValueAtPercentile(50) / 1e3,
                copy.getValueAtPercentile(90) / 1e3,
                copy.getValueAtPercentile(99) / 1e3,
                copy.getValueAtPercentile(99.9) / 1e3,
                copy.getMaxValue() / 1e3);
    }

    private static void line(StringBuilder text, String name, String value) {
        text.append(String.format(Locale.ROOT, "%-9s %s%n", name, value));
    }
}
