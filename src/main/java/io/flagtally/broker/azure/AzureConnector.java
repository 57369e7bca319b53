package io.flagtally.broker.azure;

import io.flagtally.broker.BoundedSends;
import io.flagtally.broker.Carrier;
import io.flagtally.broker.ConfirmedSends;
import io.flagtally.broker.LeasedCarrier;
import io.flagtally.broker.LeasedSources;
import io.flagtally.broker.PushedQueue;
import io.smallrye.reactive.messaging.connector.InboundConnector;
import io.smallrye.reactive.messaging.connector.OutboundConnector;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Flow.Publisher;
import java.util.concurrent.Flow.Subscriber;
import org.eclipse.microprofile.config.Config;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.eclipse.microprofile.reactive.messaging.spi.Connector;

/**
 * Sends to queues and topics of Service Bus and receives from queues and subscriptions. A channel has one key of its own,
 * {@code address}: the name of a queue or a topic, or {@code topic/subscriptions/name}.
 */
@ApplicationScoped
@Connector(AzureConnector.NAME)
public class AzureConnector implements InboundConnector, OutboundConnector {

    public static final String NAME = "flagtally-azure";

    private static final String ADDRESS = "address";

    private final AzureServer server;
    private final LeasedSources sources;
    private final List<ConfirmedSends> senders = new CopyOnWriteArrayList<>();

    @Inject
    AzureConnector(AzureServer server, LeasedSources sources) {
        this.server = server;
        this.sources = sources;
    }

    @Produces
    @Singleton
    static Carrier carrier() {
        return new LeasedCarrier(NAME);
    }

    @Override
    public Publisher<? extends Message<?>> getPublisher(Config channel) {
        String entity = channel.getValue(ADDRESS, String.class);
        return sources.open(new PushedQueue("the Service Bus entity " + entity, new AzureDeliveries(server, entity)));
    }

    @Override
    public Subscriber<? extends Message<?>> getSubscriber(Config channel) {
        ConfirmedSends sender = new ConfirmedSends(new AzureSends(server, channel.getValue(ADDRESS, String.class)));
        senders.add(sender);
        return BoundedSends.subscriber(server.config().sendsMax(), sender::send);
    }

    @PreDestroy
    void close() {
        senders.forEach(ConfirmedSends::close);
    }
}
