package io.flagtally.series;

import io.flagtally.platform.error.StatusAnswer.ErrorInfo;
import java.util.Map;

/** A parameter of the event counter is missing or wrong, in the words of the wire contract. Without a stack trace. */
final class EventCounterException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** What is wrong with a parameter. */
    enum Fault {
        EMPTY("INVALID_ARGUMENT_EMPTY", "InvalidArgumentEmptyError"),
        UNKNOWN("INVALID_ARGUMENT_UNKNOWN", "InvalidArgumentUnknownError"),
        NOT_MATCH_FORMAT("INVALID_ARGUMENT_NOT_MATCH_FORMAT", "InvalidArgumentNotMatchFormatError");

        private final String reason;
        private final String messageKey;

        Fault(String reason, String messageKey) {
            this.reason = reason;
            this.messageKey = messageKey;
        }
    }

    private final Fault fault;
    private final String field;

    /** @param field the contract's name of the parameter, {@code FeatureFlagID} */
    EventCounterException(Fault fault, String field, String sentence) {
        super("eventcounter:" + sentence + "[" + field + ":" + fault.messageKey + "]", null, false, false);
        this.fault = fault;
        this.field = field;
    }

    ErrorInfo info() {
        return new ErrorInfo(
                fault.reason, EventCounterAnswers.DOMAIN, Map.of("messageKey", fault.messageKey, "field", field));
    }
}
