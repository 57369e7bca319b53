package io.flagtally.codec;

import io.flagtally.platform.error.ErrorCode;

/** One event cannot be read. Expected, so without a stack trace. */
public final class MalformedEventException extends Exception {

    private static final long serialVersionUID = 1L;

    private final String eventId;
    private final ErrorCode code;

    /**
     * @param eventId the id the event came with, empty if none could be read
     * @param message the message of the wire contract, as the SDK is answered
     */
    public MalformedEventException(String eventId, ErrorCode code, String message) {
        super(message, null, false, false);
        this.eventId = eventId;
        this.code = code;
    }

    public String eventId() {
        return eventId;
    }

    public ErrorCode code() {
        return code;
    }

    /** The message of the wire contract. */
    public String wireMessage() {
        return String.valueOf(getMessage());
    }
}
