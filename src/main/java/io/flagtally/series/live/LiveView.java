package io.flagtally.series.live;

import io.smallrye.mutiny.Uni;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What one reader watches. Safe for use by several threads. */
interface LiveView {

    /** What there is to be shown at one moment. Immutable. */
    interface State {

        /** Everything, in pieces. */
        List<LivePart> parts();

        /** The text of a message with {@code changed}, which are some of the parts in their order. */
        String data(List<LivePart> changed);

        /** How it moves just now, and whether it can be read. */
        String pulse();
    }

    /** Returns what the last tick showed, or null as long as not everything was looked at. */
    @Nullable
    State state();

    /**
     * Waits for the first state. Fails with {@link io.flagtally.platform.error.UnavailableException} if what is watched
     * cannot be read.
     */
    Uni<Void> shown();

    /** Has {@code listener} run after each tick, soon for the first time. */
    void listen(Runnable listener);

    /** Ends the watching. */
    void close();
}
