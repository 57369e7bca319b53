package io.flagtally.pipeline;

import io.flagtally.event.FlagEvent;
import io.smallrye.mutiny.Uni;
import java.util.List;

/**
 * A port: what a store with a long memory knows of events that come again, longer than the window of the other sinks.
 *
 * <p>An implementation fails with {@link StoreUnavailableException} when the same call may succeed later.
 */
public interface CountedBefore {

    /** Returns those of {@code events} that are not known to be counted, each once. Nothing is written. */
    Uni<List<FlagEvent>> unknown(List<FlagEvent> events);
}
