package io.flagtally.pipeline;

import io.smallrye.mutiny.Uni;
import java.util.List;

/**
 * A port: the place for events at fault.
 *
 * <p>An implementation is idempotent: the same letters put twice are kept once. It fails with
 * {@link StoreUnavailableException} when the same call may succeed later; no letter is lost for that, since the
 * message is not acknowledged before.
 */
public interface DeadLetters {

    /** Keeps {@code letters}; done when they are as safe as a counted event. */
    Uni<Void> put(List<DeadLetter> letters);
}
