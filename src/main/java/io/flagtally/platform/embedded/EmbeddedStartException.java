package io.flagtally.platform.embedded;

import org.jspecify.annotations.Nullable;

/** The embedded stores cannot be started. Its message is one sentence for a person; expected, so without a stack trace. */
public final class EmbeddedStartException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public EmbeddedStartException(String sentence) {
        this(sentence, null);
    }

    public EmbeddedStartException(String sentence, @Nullable Throwable cause) {
        super(sentence, cause, false, false);
    }

    /** A stop came before the start was over. */
    public static EmbeddedStartException cutShort(@Nullable Throwable cause) {
        return new EmbeddedStartException("The start was cut short by a stop.", cause);
    }
}
