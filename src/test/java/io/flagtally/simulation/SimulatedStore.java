package io.flagtally.simulation;

import io.flagtally.rollup.CountDelta;
import io.flagtally.rollup.CountKey;
import io.flagtally.rollup.EventBatch;
import io.flagtally.rollup.EventIdentity;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The twin of the counting store: the same atomic check and write, the same window, the same commit marker for each
 * process, in memory. Shared by all processes. It may go away for a while, and may go back to what it was some time ago,
 * as a server does that lost what no replica and no disk had.
 */
final class SimulatedStore {

    /** A span of time whose writes are gone. */
    record Forgotten(Instant from, Instant to) {}

    private static final class IdSet {
        private final Set<EventIdentity> ids;
        private Instant expiresAt;

        IdSet() {
            this(Set.of(), Instant.MAX);
        }

        IdSet(Set<EventIdentity> ids, Instant expiresAt) {
            this.ids = new HashSet<>(ids);
            this.expiresAt = expiresAt;
        }
    }

    /** All that the store holds. */
    private static final class Content {
        private final Map<CountKey, Long> counts = new HashMap<>();
        private final Map<CountKey, IdSet> seen = new HashMap<>();
        private final Map<CountKey, Set<String>> users = new HashMap<>();
        private final Map<CountKey, Set<EventIdentity>> counted = new HashMap<>();
        private final Map<String, Long> markers = new HashMap<>();

        Content copy() {
            Content copy = new Content();
            copy.counts.putAll(counts);
            copy.markers.putAll(markers);
            seen.forEach((key, set) -> copy.seen.put(key, new IdSet(set.ids, set.expiresAt)));
            users.forEach((key, set) -> copy.users.put(key, new HashSet<>(set)));
            counted.forEach((key, set) -> copy.counted.put(key, new HashSet<>(set)));
            return copy;
        }
    }

    private final VirtualTime time;
    private final History history;
    private final boolean deduplication;
    private final Duration window;
    private Content content = new Content();
    private @Nullable Forgotten forgotten;
    private boolean down;
    private int life;

    SimulatedStore(VirtualTime time, History history, boolean deduplication, Duration window) {
        this.time = time;
        this.history = history;
        this.deduplication = deduplication;
        this.window = window;
    }

    /** Takes the store away for a while. */
    void outage(Duration duration) {
        down = true;
        history.note("store goes away for %s", duration);
        time.after(duration, () -> down = false);
    }

    /** Lets the store go back, after {@code duration}, to what it holds now. */
    void forgetIn(Duration duration) {
        Content now = content.copy();
        Instant from = time.instant();
        time.after(duration, () -> {
            history.note("store forgets what it was told in the last %s", duration);
            content = now;
            life++;
            forgotten = new Forgotten(from, time.instant());
        });
    }

    /** Which life this is: what was sent in one that has ended does not arrive. */
    int life() {
        return life;
    }

    boolean isDown() {
        return down;
    }

    Map<CountKey, Long> counts() {
        return content.counts;
    }

    /** The distinct events of a counter that are in its number, however long ago. */
    Set<EventIdentity> counted(CountKey key) {
        return content.counted.getOrDefault(key, Set.of());
    }

    Set<String> users(CountKey key) {
        return content.users.getOrDefault(key, Set.of());
    }

    /** What is gone; null as long as nothing is. */
    @Nullable
    Forgotten forgotten() {
        return forgotten;
    }

    long marker(String process) {
        return content.markers.getOrDefault(process, 0L);
    }

    /**
     * Counts what is new of {@code batch}, adds {@code users}, and moves the marker of {@code process}, at once; nothing
     * of it if the life in which it was sent has ended.
     */
    long apply(int sentIn, String process, EventBatch batch, Map<CountKey, ? extends Collection<String>> users) {
        if (sentIn != life) {
            return 0;
        }
        long fresh = 0;
        for (Map.Entry<CountKey, CountDelta> entry : batch.rollup().counts().entrySet()) {
            fresh += add(entry.getKey(), entry.getValue());
        }
        users.forEach((key, some) ->
                content.users.computeIfAbsent(key, k -> new HashSet<>()).addAll(some));
        content.markers.merge(process, 1L, Long::sum);
        return fresh;
    }

    private long add(CountKey key, CountDelta delta) {
        long fresh = deduplication
                ? addIds(key, delta.identities())
                : delta.identities().size();
        content.counts.merge(key, fresh, Long::sum);
        content.counted.computeIfAbsent(key, k -> new HashSet<>()).addAll(delta.identities());
        return fresh;
    }

    private long addIds(CountKey key, Set<EventIdentity> identities) {
        IdSet set = content.seen.computeIfAbsent(key, k -> new IdSet());
        if (!time.instant().isBefore(set.expiresAt)) {
            set.ids.clear();
        }
        long fresh = identities.stream().filter(set.ids::add).count();
        if (fresh > 0) {
            set.expiresAt = time.instant().plus(window);
        }
        return fresh;
    }
}
