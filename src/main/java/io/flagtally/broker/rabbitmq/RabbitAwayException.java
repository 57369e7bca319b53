package io.flagtally.broker.rabbitmq;

import org.jspecify.annotations.Nullable;

/** RabbitMQ cannot be used just now. Expected, so without a stack trace; the message is one sentence. */
final class RabbitAwayException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    RabbitAwayException(String sentence, @Nullable Throwable cause) {
        super(sentence, cause, false, false);
    }
}
