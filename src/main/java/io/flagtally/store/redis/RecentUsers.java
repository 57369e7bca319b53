package io.flagtally.store.redis;

import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;

/**
 * The users that one connection has lately added to a counter and been told so: adding them again would change nothing,
 * so they are not sent again. Safe for use by several threads.
 *
 * <p>Worth something only as long as the server behind the connection is the one that said yes and still has what it
 * had. So it ends with its connection, is emptied at any sign that the store lost something, and never remembers for
 * longer than {@link #REMEMBERED}, which bounds what a deletion by hand could hide.
 *
 * <p>Memory: {@value #PLACES} words of 64 bits. Two users that meet in a place take turns. Two that hash alike in all 64
 * bits would pass for one, which among {@value #PLACES} is a chance of about 1 in 10 million million a user.
 */
final class RecentUsers {

    static final Duration REMEMBERED = Duration.ofMinutes(1);

    /** A power of two. */
    private static final int PLACES = 1 << 17;

    private final long[] marks = new long[PLACES];
    private Instant begin = Instant.MIN;
    private long generation;

    /** Begins a flush, and gives the generation that its replies must meet. */
    synchronized long begin(Instant now) {
        if (Duration.between(begin, now).abs().compareTo(REMEMBERED) > 0) {
            begin = now;
            Arrays.fill(marks, 0);
        }
        return generation;
    }

    /** Whether all was relied on rightly that was known since {@code generation}: nothing had to be forgotten. */
    synchronized boolean holds(long generation) {
        return generation == this.generation;
    }

    /** Whether the user of {@code mark}, which is not 0, need not be sent. */
    synchronized boolean knows(long mark) {
        return marks[place(mark)] == mark;
    }

    /** Takes what a flush added that began at {@code generation}. */
    synchronized void confirm(long generation, long[] added) {
        if (generation != this.generation) {
            return;
        }
        for (long mark : added) {
            marks[place(mark)] = mark;
        }
    }

    /** Forgets all, and what flushes add that are under way. */
    synchronized void forget() {
        generation++;
        Arrays.fill(marks, 0);
    }

    private static int place(long mark) {
        return (int) mark & (PLACES - 1);
    }
}
