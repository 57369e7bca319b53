package io.flagtally.codec;

import io.smallrye.mutiny.Uni;

/** A port: the channel on which events leave the door, for events that went through it before. */
public interface EventOutlet {

    /**
     * Sends {@code payload} as one message.
     *
     * @return completes when the events are safe; fails if they are not, or not in time, or if too much is in flight
     */
    Uni<Void> send(EventHeaders headers, byte[] payload);
}
