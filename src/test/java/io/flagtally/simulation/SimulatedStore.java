package io.flagtally.simulation;

import io.flagtally.pipeline.BatchOutcome;
import io.flagtally.pipeline.BatchSink;
import io.flagtally.pipeline.StoreUnavailableException;
import io.flagtally.rollup.CountDelta;
import io.flagtally.rollup.CountKey;
import io.flagtally.rollup.EventBatch;
import io.flagtally.rollup.EventIdentity;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * The twin of the counting sink: the same atomic check and write, the same window, in memory. Shared by all
 * processes. A call may fail unapplied, be applied and its reply lost, or be applied long after the caller gave up.
 */
final class SimulatedStore implements BatchSink {

    private static final int CALL_MILLIS_MAX = 20;
    private static final Duration CALL_TIMEOUT = Duration.ofSeconds(3);

    private static final class IdSet {
        private final Set<EventIdentity> ids = new HashSet<>();
        private Instant expiresAt = Instant.MAX;
    }

    private final VirtualTime time;
    private final Faults faults;
    private final History history;
    private final boolean deduplication;
    private final Duration window;
    private final Map<CountKey, Long> counts = new HashMap<>();
    private final Map<CountKey, IdSet> seen = new HashMap<>();
    private boolean down;

    SimulatedStore(VirtualTime time, Faults faults, History history, boolean deduplication, Duration window) {
        this.time = time;
        this.faults = faults;
        this.history = history;
        this.deduplication = deduplication;
        this.window = window;
    }

    @Override
    public String name() {
        return "counts";
    }

    @Override
    public Uni<BatchOutcome> write(EventBatch batch) {
        return Uni.createFrom().emitter(reply -> call(batch, reply));
    }

    /** Takes the store away for a while. */
    void outage(Duration duration) {
        down = true;
        history.note("store goes away for %s", duration);
        time.after(duration, () -> down = false);
    }

    Map<CountKey, Long> counts() {
        return counts;
    }

    private void call(EventBatch batch, UniEmitter<? super BatchOutcome> reply) {
        Duration arrival = faults.within(CALL_MILLIS_MAX);
        if (down || faults.happens(faults.writeFails)) {
            history.note("write of %d events refused", batch.size());
            time.after(arrival, () -> reply.fail(away("refused")));
        } else if (faults.happens(faults.writeStalls)) {
            history.note("write of %d events stalls, and is applied after the caller gave up", batch.size());
            time.after(CALL_TIMEOUT, () -> reply.fail(away("no reply")));
            time.after(CALL_TIMEOUT.plus(faults.within(60_000)), () -> apply(batch));
        } else if (faults.happens(faults.replyLost)) {
            history.note("write of %d events applied, reply lost", batch.size());
            time.after(arrival, () -> apply(batch));
            time.after(arrival.plus(faults.within(CALL_MILLIS_MAX)), () -> reply.fail(away("connection closed")));
        } else {
            time.after(arrival, () -> {
                BatchOutcome outcome = apply(batch);
                time.after(faults.within(CALL_MILLIS_MAX), () -> reply.complete(outcome));
            });
        }
    }

    private static StoreUnavailableException away(String why) {
        return new StoreUnavailableException("the simulated store: " + why, null);
    }

    private BatchOutcome apply(EventBatch batch) {
        long counted = 0;
        long events = 0;
        for (Map.Entry<CountKey, CountDelta> entry : batch.rollup().counts().entrySet()) {
            events += entry.getValue().events().size();
            counted += add(entry.getKey(), entry.getValue());
        }
        return new BatchOutcome(counted, events - counted);
    }

    private long add(CountKey key, CountDelta delta) {
        long fresh = deduplication
                ? addIds(key, delta.identities())
                : delta.identities().size();
        counts.merge(key, fresh, Long::sum);
        return fresh;
    }

    private long addIds(CountKey key, Set<EventIdentity> identities) {
        IdSet set = seen.computeIfAbsent(key, k -> new IdSet());
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
