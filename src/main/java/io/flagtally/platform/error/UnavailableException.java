package io.flagtally.platform.error;

import org.jspecify.annotations.Nullable;

/** Something the answer needs is away just now. Expected, so without a stack trace. */
public final class UnavailableException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** @param message one sentence that names what is away */
    public UnavailableException(String message, @Nullable Throwable cause) {
        super(message, cause, false, false);
    }
}
