package io.flagtally.series.live;

import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jboss.logging.Logger;

/**
 * Has something read again and again for as long as anybody listens. Reads never overlap: a store that is slow is asked
 * less often. Safe for use by several threads.
 */
final class LiveTicker {

    private static final Logger LOG = Logger.getLogger(LiveTicker.class);

    /** How close on each other reads for new listeners may be. */
    private static final Duration SOON = Duration.ofMillis(20);

    private final Vertx vertx;
    private final Duration every;
    private final Supplier<Uni<Void>> read;
    private final Set<Runnable> listeners = ConcurrentHashMap.newKeySet();

    private boolean reading;
    private boolean again;
    private long timer = -1;
    private long lastStart;

    LiveTicker(Vertx vertx, Duration every, Supplier<Uni<Void>> read) {
        this.vertx = vertx;
        this.every = every;
        this.read = read;
        lastStart = System.nanoTime() - every.toNanos();
    }

    /** Runs {@code listener} after each read, which must not take long; the first read is soon. */
    void add(Runnable listener) {
        listeners.add(listener);
        synchronized (this) {
            if (reading) {
                again = true;
            } else {
                readAfter(SOON);
            }
        }
    }

    void remove(Runnable listener) {
        listeners.remove(listener);
    }

    private synchronized void readAfter(Duration distance) {
        if (timer >= 0) {
            boolean unused = vertx.cancelTimer(timer);
        }
        long nanos = lastStart + distance.toNanos() - System.nanoTime();
        timer = vertx.setTimer(Math.max(1, nanos / 1_000_000), id -> tick());
    }

    private void tick() {
        synchronized (this) {
            timer = -1;
            if (listeners.isEmpty() || reading) {
                return;
            }
            reading = true;
            again = false;
            lastStart = System.nanoTime();
        }
        var unused = Uni.createFrom().deferred(() -> read.get()).subscribe().with(done -> finished(), failure -> {
            LOG.warnf("What is watched cannot be read: %s", failure);
            finished();
        });
    }

    private void finished() {
        listeners.forEach(Runnable::run);
        synchronized (this) {
            reading = false;
            readAfter(again ? SOON : every);
        }
    }
}
