package io.flagtally.series.live;

import io.smallrye.mutiny.Uni;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * What one reader watches, and listens to a ticker for until it is closed. It shows nothing that was read before it was
 * opened: its reader may come from another instance that has read later.
 */
abstract class TickedView implements LiveView {

    private final LiveTicker ticker;
    private final Readability readability;
    private final Runnable leave;
    private final long openedNanos = System.nanoTime();
    private final AtomicBoolean closed = new AtomicBoolean();
    private volatile @Nullable Runnable listener;

    /** @param leave runs once, when it is closed */
    TickedView(LiveTicker ticker, Readability readability, Runnable leave) {
        this.ticker = ticker;
        this.readability = readability;
        this.leave = leave;
    }

    /** When it was opened, as {@link System#nanoTime}. */
    final long openedNanos() {
        return openedNanos;
    }

    @Override
    public final Uni<Void> shown() {
        return Uni.createFrom().emitter(emitter -> {
            Runnable look = () -> {
                Throwable failure = readability.failureSince(openedNanos);
                if (state() != null) {
                    emitter.complete(null);
                } else if (failure != null) {
                    emitter.fail(failure);
                }
            };
            emitter.onTermination(() -> ticker.remove(look));
            ticker.add(look);
        });
    }

    @Override
    public final void listen(Runnable task) {
        listener = task;
        ticker.add(task);
    }

    @Override
    public final void close() {
        if (closed.compareAndSet(false, true)) {
            leave.run();
            Runnable task = listener;
            if (task != null) {
                ticker.remove(task);
            }
        }
    }
}
