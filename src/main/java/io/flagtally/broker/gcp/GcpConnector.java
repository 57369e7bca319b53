package io.flagtally.broker.gcp;

import io.flagtally.broker.BoundedSends;
import io.flagtally.broker.Carrier;
import io.flagtally.broker.LeasedCarrier;
import io.flagtally.broker.LeasedSources;
import io.smallrye.reactive.messaging.connector.InboundConnector;
import io.smallrye.reactive.messaging.connector.OutboundConnector;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.concurrent.Flow.Publisher;
import java.util.concurrent.Flow.Subscriber;
import org.eclipse.microprofile.config.Config;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.eclipse.microprofile.reactive.messaging.spi.Connector;

/**
 * Sends to Pub/Sub topics and receives from Pub/Sub subscriptions. A channel has one key of its own, {@code address}, the
 * name of either, and outgoing {@code ordered}, which sends one message at a time with its key as the ordering key.
 */
@ApplicationScoped
@Connector(GcpConnector.NAME)
public class GcpConnector implements InboundConnector, OutboundConnector {

    public static final String NAME = "flagtally-gcp";

    private static final String ADDRESS = "address";
    private static final String ORDERED = "ordered";

    private final GcpConfig config;
    private final GcpClients clients;
    private final GcpNames names;
    private final LeasedSources sources;

    @Inject
    GcpConnector(GcpConfig config, GcpClients clients, LeasedSources sources) {
        this.config = config;
        this.clients = clients;
        this.names = new GcpNames(config);
        this.sources = sources;
    }

    @Produces
    @Singleton
    static Carrier carrier() {
        return new LeasedCarrier(NAME, place -> true);
    }

    @Override
    public Publisher<? extends Message<?>> getPublisher(Config channel) {
        String subscription = names.subscription(channel.getValue(ADDRESS, String.class));
        return sources.open(new PubSubQueue(clients, subscription, config.ackDeadline()));
    }

    @Override
    public Subscriber<? extends Message<?>> getSubscriber(Config channel) {
        String topic = names.topic(channel.getValue(ADDRESS, String.class));
        boolean ordered = channel.getOptionalValue(ORDERED, Boolean.class).orElse(false);
        PubSubTarget target = new PubSubTarget(clients, topic, ordered);
        return BoundedSends.subscriber(ordered ? 1 : config.sendsMax(), target::send);
    }
}
