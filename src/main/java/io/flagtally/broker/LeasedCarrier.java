package io.flagtally.broker;

import java.util.Map;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.jspecify.annotations.Nullable;

/** Carries headers for a connector that lends from a {@link LeasedQueue} and sends {@link OutgoingHeaders}. */
public final class LeasedCarrier implements Carrier {

    private final String connector;

    public LeasedCarrier(String connector) {
        this.connector = connector;
    }

    @Override
    public String connector() {
        return connector;
    }

    @Override
    public Message<byte[]> outgoing(Message<byte[]> message, Map<String, String> headers, @Nullable String key) {
        return message.addMetadata(new OutgoingHeaders(headers, key));
    }

    @Override
    public Arrived incoming(Message<?> message) {
        LeasedMessage leased = message.getMetadata(LeasedMessage.class)
                .orElseThrow(() -> new IllegalArgumentException("the message was not lent by a queue"));
        return new Arrived(leased.payload(), leased.headers(), leased.redelivered());
    }
}
