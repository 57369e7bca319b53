package io.flagtally.broker;

import java.util.Map;
import java.util.function.Predicate;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.jspecify.annotations.Nullable;

/** Carries headers for a connector that lends from a {@link LeasedQueue} and sends {@link OutgoingHeaders}. */
public final class LeasedCarrier implements Carrier {

    private final String connector;
    private final Predicate<String> keepsOrder;
    private final int headersMax;

    /** A carrier to queues that promise no order. */
    public LeasedCarrier(String connector) {
        this(connector, place -> false);
    }

    /** @param keepsOrder what {@link #keepsOrder} says of a place */
    public LeasedCarrier(String connector, Predicate<String> keepsOrder) {
        this(connector, keepsOrder, Integer.MAX_VALUE);
    }

    /**
     * @param keepsOrder what {@link #keepsOrder} says of a place
     * @param headersMax how many headers a message may have
     */
    public LeasedCarrier(String connector, Predicate<String> keepsOrder, int headersMax) {
        this.connector = connector;
        this.keepsOrder = keepsOrder;
        this.headersMax = headersMax;
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
    public boolean keepsOrder(String place) {
        return keepsOrder.test(place);
    }

    @Override
    public int headersMax() {
        return headersMax;
    }

    @Override
    public Arrived incoming(Message<?> message) {
        LeasedMessage leased = message.getMetadata(LeasedMessage.class)
                .orElseThrow(() -> new IllegalArgumentException("the message was not lent by a queue"));
        return new Arrived(leased.payload(), leased.headers(), leased.redelivered());
    }
}
