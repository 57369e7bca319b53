package io.flagtally.pipeline;

import java.time.Duration;

/** A port: runs something later. The service uses the event loop's timers, the simulator a virtual clock. */
@FunctionalInterface
public interface Timers {

    /** Runs {@code task} once, about {@code delay} from now; never on the calling thread's stack. */
    void after(Duration delay, Runnable task);
}
