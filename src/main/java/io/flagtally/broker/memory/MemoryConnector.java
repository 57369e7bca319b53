package io.flagtally.broker.memory;

import io.smallrye.reactive.messaging.connector.InboundConnector;
import io.smallrye.reactive.messaging.connector.OutboundConnector;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Flow.Publisher;
import java.util.concurrent.Flow.Subscriber;
import org.eclipse.microprofile.config.Config;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.eclipse.microprofile.reactive.messaging.spi.Connector;

/**
 * The in-process broker: what goes out on a channel comes in on the channel of the same {@code address} (default
 * {@code events}), as the very same message, so that an acknowledgement reaches the sender.
 *
 * <p>It holds nothing: a message passes only when the consumer has asked for one, so the sender feels at once that
 * the consumer is full. One sender and one consumer an address.
 */
@ApplicationScoped
@Connector(MemoryConnector.NAME)
public class MemoryConnector implements InboundConnector, OutboundConnector {

    public static final String NAME = "flagtally-memory";

    private static final String ADDRESS = "address";
    private static final String ADDRESS_DEFAULT = "events";

    private final Map<String, MemoryRelay> relays = new ConcurrentHashMap<>();

    @Override
    public Publisher<? extends Message<?>> getPublisher(Config config) {
        return relay(config);
    }

    @Override
    public Subscriber<? extends Message<?>> getSubscriber(Config config) {
        return relay(config);
    }

    private MemoryRelay relay(Config config) {
        String address = config.getOptionalValue(ADDRESS, String.class).orElse(ADDRESS_DEFAULT);
        return relays.computeIfAbsent(address, MemoryRelay::new);
    }
}
