package io.flagtally.codec;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagEvent;
import io.flagtally.event.SourceId;

/**
 * A port: one format in which events travel between the door and the sinks.
 *
 * <p>An implementation keeps no state and may be called from any thread. A payload holds one or more events; what is
 * wrong with one of them is told to the visitor and does not touch the others.
 */
public interface EventCodec {

    /** The content type of a payload, with its version; this is how the consumer finds the codec. */
    String contentType();

    /**
     * Reads every event of {@code payload}, in order.
     *
     * @param environment the environment they belong to
     * @param source the SDK of events that name none
     */
    void decode(byte[] payload, EnvironmentId environment, SourceId source, Visitor visitor);

    /** Called once for each event of a payload, in order. */
    interface Visitor {

        /** An event was read from {@code length} bytes at {@code offset}. */
        void event(FlagEvent event, int offset, int length);

        /** What stands in {@code length} bytes at {@code offset} is no event that can be counted. */
        void malformed(MalformedEventException fault, int offset, int length);
    }
}
