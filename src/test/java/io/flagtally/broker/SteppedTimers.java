package io.flagtally.broker;

import io.flagtally.pipeline.Timers;
import java.time.Duration;
import java.util.Comparator;
import java.util.PriorityQueue;

/** Time that moves when a test says so. */
final class SteppedTimers implements Timers {

    private record Task(Duration at, long order, Runnable action) {}

    private final PriorityQueue<Task> tasks =
            new PriorityQueue<>(Comparator.comparing(Task::at).thenComparingLong(Task::order));
    private Duration now = Duration.ZERO;
    private long planned;

    @Override
    public void after(Duration delay, Runnable task) {
        tasks.add(new Task(now.plus(delay), planned++, task));
    }

    Duration now() {
        return now;
    }

    /** Lets {@code time} pass, and runs what is due on the way. */
    void pass(Duration time) {
        Duration until = now.plus(time);
        while (!tasks.isEmpty() && tasks.peek().at().compareTo(until) <= 0) {
            Task next = tasks.remove();
            now = next.at();
            next.action().run();
        }
        now = until;
    }
}
