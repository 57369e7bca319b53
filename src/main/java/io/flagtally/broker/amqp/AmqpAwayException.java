package io.flagtally.broker.amqp;

import org.jspecify.annotations.Nullable;

/** The broker cannot be used just now. Expected, so without a stack trace. */
final class AmqpAwayException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    AmqpAwayException(String sentence, @Nullable Throwable cause) {
        super(sentence, cause, false, false);
    }
}
