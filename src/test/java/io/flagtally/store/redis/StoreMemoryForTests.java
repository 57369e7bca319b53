package io.flagtally.store.redis;

import io.flagtally.rollup.CountDelta;
import io.flagtally.rollup.CountKey;
import io.flagtally.store.redis.CommitMarkers.Loss;
import io.flagtally.store.redis.CommitMarkers.Move;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a process remembers of its store, for the simulator: the commit marker and the users added lately, by the classes
 * that the Redis sink uses.
 */
public final class StoreMemoryForTests {

    /** A span of time in which acknowledged writes may be gone. */
    public record Doubt(Instant from, Instant to) {}

    /** A write on its way: where the marker stood, which users are not sent again, and which are. */
    public static final class Flush {
        private final Move move;
        private final long generation;
        private final List<long[]> marks = new ArrayList<>();
        private boolean leftOut;

        private Flush(Move move, long generation) {
            this.move = move;
            this.generation = generation;
        }
    }

    private final IdHash hash = new IdHash(new byte[16]);
    private final RecentUsers recent = new RecentUsers();
    private final CommitMarkers markers;
    private final List<Doubt> doubts = new ArrayList<>();
    private final boolean forgetting;

    /** @param forgetting false to go on relying on what was added before a doubt, which is wrong */
    public StoreMemoryForTests(String process, Instant begin, boolean forgetting) {
        markers = new CommitMarkers(process, begin, false);
        this.forgetting = forgetting;
    }

    public Flush begin(Instant now) {
        return new Flush(markers.moves().get(0), recent.begin(now));
    }

    /** The users of {@code delta} that {@code flush} must send. */
    public List<String> fresh(Flush flush, CountKey key, CountDelta delta) {
        CountCell cell = new CountCell(key, delta, List.of(), List.copyOf(delta.users()));
        FreshUsers fresh = FreshUsers.of(cell, hash, recent);
        flush.marks.add(fresh.marks());
        flush.leftOut |= fresh.ids().size() < delta.users().size();
        return fresh.ids().stream()
                .map(id -> new String(id, StandardCharsets.UTF_8))
                .toList();
    }

    /**
     * The store says that {@code flush} is written and the marker stands at {@code marker}. False if users were left out
     * that the store may not have.
     */
    public boolean written(Flush flush, long marker, Instant now) {
        told(markers.moved(flush.move, marker, now), now);
        flush.marks.forEach(marks -> recent.confirm(flush.generation, marks));
        return !flush.leftOut || recent.holds(flush.generation);
    }

    /** Nobody knows what became of a write. */
    public void cut() {
        if (forgetting) {
            recent.forget();
        }
    }

    /** The marker was seen at {@code marker}. */
    public void looked(long marker, Instant now) {
        told(markers.seen(markers.all().get(0), marker), now);
    }

    public List<Doubt> doubts() {
        return doubts;
    }

    private void told(@Nullable Loss loss, Instant now) {
        if (loss != null) {
            doubts.add(new Doubt(loss.from(), now));
            cut();
        }
    }
}
