package io.flagtally.series;

import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.smallrye.mutiny.Uni;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Lets equal reads share one. Of a key, at most one read runs and one waits: a reader that finds one running joins the
 * one that waits, never the one that runs, so every answer is read after its request came. Safe for use by several
 * threads.
 *
 * @param <K> what makes reads equal: two suppliers given with equal keys read the same
 * @param <V> the answer, immutable
 */
final class SharedReads<K, V> {

    /** A key whose read runs, and the answer of the read behind it if somebody asked for one. */
    private static final class Lane<V> {
        private @Nullable CompletableFuture<V> waiting;
    }

    private final int distinctReadsMax;
    private final Map<K, Lane<V>> lanes = new HashMap<>();

    /** @param distinctReadsMax how many keys may be read at once */
    SharedReads(int distinctReadsMax) {
        this.distinctReadsMax = distinctReadsMax;
    }

    /**
     * Returns what {@code read} answers; it is started after the subscription. Giving up waiting does not end the read.
     * Fails with {@link RefusedException} when too many different reads are under way.
     */
    Uni<V> read(K key, Supplier<Uni<V>> read) {
        return Uni.createFrom().<V>emitter(emitter -> {
            var unused = join(key, read).whenComplete((value, failure) -> {
                if (failure == null) {
                    emitter.complete(value);
                } else {
                    emitter.fail(failure);
                }
            });
        });
    }

    /** How many different reads are under way. */
    synchronized int size() {
        return lanes.size();
    }

    private CompletableFuture<V> join(K key, Supplier<Uni<V>> read) {
        Lane<V> started;
        synchronized (this) {
            Lane<V> lane = lanes.get(key);
            if (lane != null) {
                lane.waiting = lane.waiting == null ? new CompletableFuture<>() : lane.waiting;
                return lane.waiting;
            }
            if (lanes.size() >= distinctReadsMax) {
                return CompletableFuture.failedFuture(new RefusedException(
                        ErrorCode.RESOURCE_EXHAUSTED,
                        "Too many different reads are under way (" + distinctReadsMax + "); try again in a second."));
            }
            started = new Lane<>();
            lanes.put(key, started);
        }
        CompletableFuture<V> answer = new CompletableFuture<>();
        run(key, started, read, answer);
        return answer;
    }

    private void run(K key, Lane<V> lane, Supplier<Uni<V>> read, CompletableFuture<V> answer) {
        var unused = Uni.createFrom()
                .<V>deferred(() -> read.get())
                .subscribe()
                .with(
                        value -> {
                            runNext(key, lane, read);
                            answer.complete(value);
                        },
                        failure -> {
                            runNext(key, lane, read);
                            answer.completeExceptionally(failure);
                        });
    }

    private void runNext(K key, Lane<V> lane, Supplier<Uni<V>> read) {
        CompletableFuture<V> next;
        synchronized (this) {
            next = lane.waiting;
            lane.waiting = null;
            if (next == null) {
                lanes.remove(key);
                return;
            }
        }
        run(key, lane, read, next);
    }
}
