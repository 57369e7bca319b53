package io.flagtally.broker;

import io.flagtally.codec.EventHeaders;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.SourceId;
import io.flagtally.pipeline.DeadLetter;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** The headers of a message: the same names and values on every broker. A header without a value is left out. */
public final class WireHeaders {

    /** The codec and its version. */
    public static final String CONTENT_TYPE = "content-type";
    /** The environment of every event in the message. */
    public static final String ENVIRONMENT = "flagtally-environment";
    /** The SDK of events that name none, as its name in {@link SourceId}. */
    public static final String SOURCE = "flagtally-source";
    /** When the door took the events; an ISO-8601 instant. */
    public static final String ACCEPTED_AT = "flagtally-accepted-at";
    /** How many events the payload holds. */
    public static final String EVENTS = "flagtally-events";
    /** The W3C trace context, as the client sent it. */
    public static final String TRACE_PARENT = "traceparent";
    /** Of a dead letter: why it was put aside. */
    public static final String ERROR_CODE = "flagtally-error-code";
    /** Of a dead letter: a sentence. */
    public static final String ERROR_DETAIL = "flagtally-error-detail";
    /** Of a dead letter: the id of its event. */
    public static final String EVENT_ID = "flagtally-event-id";
    /** Of a dead letter: headers of others that cannot travel under their own names, as a JSON object. */
    public static final String OTHER_HEADERS = "flagtally-other-headers";

    /** The first instant whose year has five digits. */
    private static final Instant YEAR_10000 = Instant.parse("+10000-01-01T00:00:00Z");

    private static final String UNKNOWN_CONTENT = "application/octet-stream";

    private WireHeaders() {}

    static Map<String, String> write(EventHeaders headers) {
        Map<String, String> text = new LinkedHashMap<>();
        put(text, CONTENT_TYPE, headers.contentType());
        put(text, ENVIRONMENT, headers.environment().value());
        put(text, SOURCE, headers.source().name());
        put(text, ACCEPTED_AT, headers.acceptedAt().toString());
        put(text, EVENTS, Integer.toString(headers.events()));
        headers.traceParent().ifPresent(trace -> put(text, TRACE_PARENT, trace));
        return text;
    }

    static void write(DeadLetter letter, Map<String, String> text) {
        put(text, ERROR_CODE, letter.code().name());
        put(text, ERROR_DETAIL, letter.detail());
        put(text, EVENT_ID, letter.eventId());
    }

    /** @throws IllegalArgumentException with a sentence for a person, if a header is missing or cannot be read */
    static EventHeaders read(Map<String, String> text) {
        return new EventHeaders(
                environment(required(text, ENVIRONMENT)),
                source(text),
                required(text, CONTENT_TYPE),
                events(text),
                acceptedAt(required(text, ACCEPTED_AT)),
                traceParent(text));
    }

    /** What can be read of headers that not all can, and for the others what says least. */
    static EventHeaders readable(Map<String, String> text, Instant arrivedAt) {
        return new EventHeaders(
                readable(() -> environment(required(text, ENVIRONMENT)), EnvironmentId.DEFAULT),
                source(text),
                readable(() -> required(text, CONTENT_TYPE), UNKNOWN_CONTENT),
                0,
                readable(() -> acceptedAt(required(text, ACCEPTED_AT)), arrivedAt),
                traceParent(text));
    }

    private static <T> T readable(Supplier<T> header, T otherwise) {
        try {
            return header.get();
        } catch (IllegalArgumentException e) {
            return otherwise;
        }
    }

    private static Optional<String> traceParent(Map<String, String> text) {
        return Optional.ofNullable(text.get(TRACE_PARENT)).filter(trace -> !trace.isEmpty());
    }

    private static void put(Map<String, String> text, String name, String value) {
        if (!value.isEmpty()) {
            text.put(name, value);
        }
    }

    private static String required(Map<String, String> text, String name) {
        String value = text.get(name);
        if (value == null || value.isEmpty()) {
            throw new IllegalArgumentException(
                    "the message has no header " + name + "; was it sent by something else than Flagtally?");
        }
        return value;
    }

    private static EnvironmentId environment(String value) {
        try {
            return new EnvironmentId(value);
        } catch (IllegalArgumentException e) {
            throw unreadable(ENVIRONMENT, "is no environment", e);
        }
    }

    private static SourceId source(Map<String, String> text) {
        String value = text.get(SOURCE);
        for (SourceId source : SourceId.values()) {
            if (source.name().equals(value)) {
                return source;
            }
        }
        return SourceId.UNKNOWN;
    }

    private static int events(Map<String, String> text) {
        try {
            return Integer.parseInt(required(text, EVENTS));
        } catch (NumberFormatException e) {
            throw unreadable(EVENTS, "is no number", e);
        }
    }

    private static Instant acceptedAt(String value) {
        try {
            Instant at = Instant.parse(value);
            if (at.isBefore(Instant.EPOCH) || !at.isBefore(YEAR_10000)) {
                throw new DateTimeParseException("out of range", value, 0);
            }
            return at;
        } catch (DateTimeParseException e) {
            throw unreadable(ACCEPTED_AT, "is no ISO-8601 instant of the years 1970 to 9999", e);
        }
    }

    private static IllegalArgumentException unreadable(String name, String what, Exception cause) {
        return new IllegalArgumentException("the header " + name + " of the message " + what, cause);
    }
}
