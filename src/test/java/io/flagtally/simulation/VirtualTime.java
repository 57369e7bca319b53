package io.flagtally.simulation;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.PriorityQueue;

/** A clock that jumps from one task to the next. Tasks of the same instant run in the order they were planned. */
final class VirtualTime implements InstantSource {

    private record Task(Instant at, long order, Runnable action) {}

    private final PriorityQueue<Task> tasks =
            new PriorityQueue<>(Comparator.comparing(Task::at).thenComparingLong(Task::order));
    private Instant now;
    private long planned;

    VirtualTime(Instant start) {
        now = start;
    }

    @Override
    public Instant instant() {
        return now;
    }

    void after(Duration delay, Runnable action) {
        tasks.add(new Task(now.plus(delay), planned++, action));
    }

    /** Runs the next task; false if there is none. */
    boolean step() {
        Task next = tasks.poll();
        if (next == null) {
            return false;
        }
        now = next.at();
        next.action().run();
        return true;
    }
}
