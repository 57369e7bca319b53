package io.flagtally.codec;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.SourceId;
import java.time.Instant;
import java.util.Optional;

/**
 * What a message says of its payload without opening it; travels as message metadata, and as headers over a broker.
 *
 * @param environment the environment of every event in the message
 * @param source the SDK of events that name none
 * @param contentType the codec and its version
 * @param events how many events the payload holds
 * @param acceptedAt when the door took them
 * @param traceParent the W3C trace context of the request, as it came
 */
public record EventHeaders(
        EnvironmentId environment,
        SourceId source,
        String contentType,
        int events,
        Instant acceptedAt,
        Optional<String> traceParent) {

    /** Headers without a trace context. */
    public EventHeaders(
            EnvironmentId environment, SourceId source, String contentType, int events, Instant acceptedAt) {
        this(environment, source, contentType, events, acceptedAt, Optional.empty());
    }

    /** The headers of a message with one event of this one. */
    public EventHeaders ofOneEvent() {
        return new EventHeaders(environment, source, contentType, 1, acceptedAt, traceParent);
    }
}
