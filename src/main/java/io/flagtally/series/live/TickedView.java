package io.flagtally.series.live;

import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * What one reader watches, and listens to a ticker for until it is closed. It shows nothing that was read before it was
 * opened: its reader may come from another instance that has read later.
 */
abstract class TickedView implements LiveView {

    private final LiveTicker ticker;
    private final Runnable leave;
    private final long openedNanos = System.nanoTime();
    private final AtomicBoolean closed = new AtomicBoolean();
    private volatile @Nullable Runnable listener;

    /** @param leave runs once, when it is closed */
    TickedView(LiveTicker ticker, Runnable leave) {
        this.ticker = ticker;
        this.leave = leave;
    }

    /** When it was opened, as {@link System#nanoTime}. */
    final long openedNanos() {
        return openedNanos;
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
