package io.flagtally.pipeline;

import org.jspecify.annotations.Nullable;

/** A store cannot be written to just now; the same write may succeed later, and whether it was applied is unknown. */
public final class StoreUnavailableException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** @param message one sentence that names the store and what is wrong with it */
    public StoreUnavailableException(String message, @Nullable Throwable cause) {
        super(message, cause, false, false);
    }
}
