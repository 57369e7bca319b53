package io.flagtally.series.live;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagId;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The flags of one environment that somebody watches. Who comes and goes is told by several threads, what was read by one
 * tick at a time; both under one lock, and what is shown is immutable.
 */
final class WatchedEnvironment {

    /** What one tick found, and the states that readers are shown of it: made once for all who want the same. */
    static final class Seen {
        private final LocalDate date;
        private final long readNanos;
        private final boolean readable;
        private final List<FlagId> busiest;
        private final Map<FlagId, WatchedFlag.Shown> flags;
        private final Map<Object, CountsState> states = new ConcurrentHashMap<>();

        /**
         * @param flags all that it looked at
         * @param readNanos when the last read that succeeded began: all that was counted before is shown
         * @param readable whether the read of the tick succeeded; of which flags it did, they say themselves
         */
        Seen(
                LocalDate date,
                long readNanos,
                boolean readable,
                List<FlagId> busiest,
                Map<FlagId, WatchedFlag.Shown> flags) {
            this.date = date;
            this.readNanos = readNanos;
            this.readable = readable;
            this.busiest = busiest;
            this.flags = flags;
        }

        LocalDate date() {
            return date;
        }

        boolean readable() {
            return readable;
        }

        List<FlagId> busiest() {
            return busiest;
        }

        Map<FlagId, WatchedFlag.Shown> flags() {
            return flags;
        }

        /** Whether it shows all that any instance could have shown at {@code nanos}. */
        boolean isSince(long nanos) {
            return readNanos - nanos >= 0;
        }

        /** Returns the state for who wants {@code wanted}, made by {@code make} for the first of them. */
        CountsState state(Object wanted, Supplier<CountsState> make) {
            return states.computeIfAbsent(wanted, unused -> make.get());
        }
    }

    private final EnvironmentId id;
    private final ObjectMapper json;
    private final Map<FlagId, Integer> watchers = new HashMap<>();
    private final Map<Integer, Integer> tops = new HashMap<>();
    private final Map<FlagId, WatchedFlag> flags = new HashMap<>();
    private List<FlagId> busiest = List.of();
    private boolean busiestKnown;
    private boolean everRead;
    private long readNanos;
    private volatile @Nullable Seen seen;

    WatchedEnvironment(EnvironmentId id, ObjectMapper json) {
        this.id = id;
        this.json = json;
    }

    EnvironmentId id() {
        return id;
    }

    synchronized void watch(List<FlagId> more) {
        more.forEach(flag -> watchers.merge(flag, 1, Integer::sum));
    }

    synchronized void leave(List<FlagId> left) {
        left.forEach(flag -> watchers.computeIfPresent(flag, (f, count) -> count == 1 ? null : count - 1));
    }

    synchronized void watchBusiest(int top) {
        if (top > top()) {
            busiestKnown = false;
        }
        tops.merge(top, 1, Integer::sum);
    }

    synchronized void leaveBusiest(int top) {
        tops.computeIfPresent(top, (t, count) -> count == 1 ? null : count - 1);
    }

    /** How many of the busiest flags are wanted; 0 for none. */
    synchronized int top() {
        return tops.keySet().stream().mapToInt(Integer::intValue).max().orElse(0);
    }

    synchronized boolean isEmpty() {
        return watchers.isEmpty() && tops.isEmpty();
    }

    synchronized int size() {
        return watchers.size() + top();
    }

    synchronized boolean busiestKnown() {
        return busiestKnown;
    }

    synchronized void busiest(List<FlagId> found) {
        busiest = List.copyOf(found);
        busiestKnown = true;
    }

    /** The flags to be read. */
    synchronized List<FlagId> wanted() {
        Set<FlagId> wanted = new LinkedHashSet<>(watchers.keySet());
        if (!tops.isEmpty()) {
            wanted.addAll(busiest);
        }
        return new ArrayList<>(wanted);
    }

    /**
     * Takes what a tick read.
     *
     * @param wanted what it wanted to read
     * @param read what it read of it, or null if it read nothing
     * @param beganNanos when it began to
     */
    synchronized void saw(LocalDate date, List<FlagId> wanted, @Nullable Map<FlagId, LiveFlag> read, long beganNanos) {
        long now = System.nanoTime();
        flags.keySet().retainAll(Set.copyOf(wanted));
        Map<FlagId, WatchedFlag.Shown> shown = new HashMap<>();
        for (FlagId flag : wanted) {
            WatchedFlag watched = flags.computeIfAbsent(flag, f -> new WatchedFlag(id.value(), f.value(), json));
            watched.saw(date, read == null ? null : read.get(flag), now);
            WatchedFlag.Shown of = watched.shown();
            if (of != null) {
                shown.put(flag, of);
            }
        }
        if (read != null) {
            readNanos = beganNanos;
            everRead = true;
        }
        if (everRead) {
            seen = new Seen(date, readNanos, read != null, busiestKnown ? busiest : List.of(), shown);
        }
    }

    @Nullable
    Seen seen() {
        return seen;
    }
}
