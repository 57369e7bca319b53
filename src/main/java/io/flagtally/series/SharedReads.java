package io.flagtally.series;

import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.platform.error.UnavailableException;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Lets equal reads share one. Of a key, at most one read runs and one waits: a reader that finds one running joins the
 * one that waits, never the one that runs, so every answer is read after its request came. Every read is measured, and
 * ends in time. Safe for use by several threads.
 *
 * @param <K> what makes reads equal: two suppliers given with equal keys read the same
 * @param <V> the answer, immutable
 */
final class SharedReads<K, V> {

    /** A key whose read runs, and the answer of the read behind it if somebody asked for one. */
    private static final class Lane<V> {
        private @Nullable CompletableFuture<V> waiting;
    }

    private final String kind;
    private final int distinctReadsMax;
    private final Duration timeout;
    private final MeterRegistry metrics;
    private final Map<K, Lane<V>> lanes = new HashMap<>();

    /**
     * @param kind what is read, in the words of the metrics
     * @param distinctReadsMax how many keys may be read at once
     * @param timeout how long a read may take
     */
    SharedReads(String kind, int distinctReadsMax, Duration timeout, MeterRegistry metrics) {
        this.kind = kind;
        this.distinctReadsMax = distinctReadsMax;
        this.timeout = timeout;
        this.metrics = metrics;
        metrics.gauge("flagtally.series.reads.running", Tags.of("kind", kind), this, SharedReads::size);
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
        var unused = inTime(read)
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

    private Uni<V> inTime(Supplier<Uni<V>> read) {
        Timer.Sample sample = Timer.start(metrics);
        return Uni.createFrom()
                .<V>deferred(() -> read.get())
                .ifNoItem()
                .after(timeout)
                .failWith(() -> new UnavailableException(
                        "The store did not answer within " + timeout.toMillis() + " ms.", null))
                .onItemOrFailure()
                .invoke((value, failure) -> sample.stop(metrics.timer(
                        "flagtally.series.reads", "kind", kind, "outcome", failure == null ? "ok" : "failed")));
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
