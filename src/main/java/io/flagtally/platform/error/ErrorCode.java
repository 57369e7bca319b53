package io.flagtally.platform.error;

import java.util.Locale;

/** Why something was refused, set aside or failed. A code, once published, keeps its name and its meaning. */
public enum ErrorCode {
    /** The text is not JSON, or not of the shape that was asked for. */
    MALFORMED(400),
    /** A parameter is missing or outside its range. */
    INVALID_ARGUMENT(400),
    /** No API key was given. */
    UNAUTHENTICATED(401),
    /** The API key is unknown, disabled, of another environment or of too low a role. */
    PERMISSION_DENIED(403),
    NOT_FOUND(404),
    /** A body, a list or an id is over its bound. */
    TOO_LARGE(413),
    /** What the service holds in flight is full; try again later. */
    RESOURCE_EXHAUSTED(429),
    /** Our fault. */
    INTERNAL(500),
    /** A job failed, because of what it needs: a store, or a receiver that refuses. */
    JOB_FAILED(502),
    /** A store or broker is away, or the service is shutting down; try again later. */
    UNAVAILABLE(503),

    /** An event names no type that we know. */
    EVENT_TYPE_UNKNOWN(400),
    EVENT_ID_INVALID(400),
    EVENT_FIELD_EMPTY(400),
    EVENT_FIELD_TOO_LONG(400),
    EVENT_FIELD_INVALID(400),
    /** Older than 31 days, or more than an hour ahead. */
    EVENT_TIME_INVALID(400),
    /** More flags in an environment, or more variations of a flag, than are kept. */
    CARDINALITY(400),
    /** Larger than a message of the broker may be. */
    EVENT_TOO_LARGE(400),

    /** A counter in the store is not a counter: another type, or about to overflow. */
    COUNTER_UNUSABLE(500),
    /** It comes back after the window in which repeats are recognised. */
    DEDUPLICATION_WINDOW_PASSED(409),
    /** Its month's rows were dropped when their retention ended. */
    MONTH_CLOSED(409),
    /** A sink refuses it for good. */
    SINK_REJECTED(500);

    private final int httpStatus;

    ErrorCode(int httpStatus) {
        this.httpStatus = httpStatus;
    }

    public int httpStatus() {
        return httpStatus;
    }

    /** The value of this code as the label of a metric. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
