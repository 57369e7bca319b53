package io.flagtally.simulation;

import io.flagtally.pipeline.BatchOutcome;
import io.flagtally.pipeline.BatchSink;
import io.flagtally.pipeline.StoreUnavailableException;
import io.flagtally.rollup.CountKey;
import io.flagtally.rollup.EventBatch;
import io.flagtally.store.redis.StoreMemoryForTests;
import io.flagtally.store.redis.StoreMemoryForTests.Doubt;
import io.flagtally.store.redis.StoreMemoryForTests.Flush;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The way of one process to the store. A call may fail unapplied, be applied and its reply lost, or be applied long after
 * the caller gave up; after each of these nothing remembered of the store is relied on, and the marker is looked at. A
 * store that forgets was started anew, which cuts every connection.
 */
final class SimulatedConnection implements BatchSink {

    private static final int CALL_MILLIS_MAX = 20;
    private static final Duration CALL_TIMEOUT = Duration.ofSeconds(3);

    private final String process;
    private final SimulatedStore store;
    private final StoreMemoryForTests memory;
    private final VirtualTime time;
    private final Faults faults;
    private final History history;
    private boolean cut;
    private int lookedIn;

    SimulatedConnection(
            String process,
            SimulatedStore store,
            StoreMemoryForTests memory,
            VirtualTime time,
            Faults faults,
            History history) {
        this.process = process;
        this.store = store;
        this.memory = memory;
        this.time = time;
        this.faults = faults;
        this.history = history;
    }

    @Override
    public String name() {
        return "counts";
    }

    @Override
    public Uni<BatchOutcome> write(EventBatch batch) {
        return Uni.createFrom().emitter(reply -> call(batch, reply));
    }

    /** Looks where the marker is, as each process does now and then. */
    void look() {
        memory.looked(store.marker(process), time.instant());
        cut = false;
        lookedIn = store.life();
    }

    List<Doubt> doubts() {
        return memory.doubts();
    }

    private void call(EventBatch batch, UniEmitter<? super BatchOutcome> reply) {
        if (cut || store.life() != lookedIn) {
            look();
        }
        Flush flush = memory.begin(time.instant());
        Map<CountKey, List<String>> users = new HashMap<>();
        batch.rollup().counts().forEach((key, delta) -> users.put(key, memory.fresh(flush, key, delta)));
        int life = store.life();
        Duration arrival = faults.within(CALL_MILLIS_MAX);
        if (store.isDown() || faults.happens(faults.writeFails)) {
            history.note("write of %d events refused", batch.size());
            time.after(arrival, () -> fail(reply, "refused"));
        } else if (faults.happens(faults.writeStalls)) {
            history.note("write of %d events stalls, and is applied after the caller gave up", batch.size());
            time.after(CALL_TIMEOUT, () -> fail(reply, "no reply"));
            time.after(CALL_TIMEOUT.plus(faults.within(60_000)), () -> store.apply(life, process, batch, users));
        } else if (faults.happens(faults.replyLost)) {
            history.note("write of %d events applied, reply lost", batch.size());
            time.after(arrival, () -> store.apply(life, process, batch, users));
            time.after(arrival.plus(faults.within(CALL_MILLIS_MAX)), () -> fail(reply, "connection closed"));
        } else {
            time.after(arrival, () -> {
                long counted = store.apply(life, process, batch, users);
                long marker = store.marker(process);
                time.after(faults.within(CALL_MILLIS_MAX), () -> {
                    if (store.life() != life) {
                        fail(reply, "connection closed");
                    } else if (!memory.written(flush, marker, time.instant())) {
                        fail(reply, "users left out");
                    } else {
                        reply.complete(new BatchOutcome(counted, events(batch) - counted));
                    }
                });
            });
        }
    }

    private static long events(EventBatch batch) {
        return batch.rollup().counts().values().stream()
                .mapToLong(delta -> delta.events().size())
                .sum();
    }

    private void fail(UniEmitter<? super BatchOutcome> reply, String why) {
        cut = true;
        memory.cut();
        reply.fail(new StoreUnavailableException("the simulated store: " + why, null));
    }
}
