package io.flagtally.broker.amqp;

import io.flagtally.broker.BoundedSends;
import io.flagtally.broker.Carrier;
import io.flagtally.broker.ConfirmedSends;
import io.flagtally.broker.LeasedCarrier;
import io.flagtally.broker.LeasedSources;
import io.flagtally.broker.PushedQueue;
import io.flagtally.platform.config.BrokerConfig;
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

/** AMQP 1.0. A channel names its {@code address}, and has a connection of its own. */
@ApplicationScoped
@Connector(AmqpConnector.NAME)
public class AmqpConnector implements InboundConnector, OutboundConnector {

    public static final String NAME = "flagtally-amqp";

    private static final String ADDRESS = "address";

    private final AmqpServer server;
    private final AmqpConfig config;
    private final BrokerConfig broker;
    private final LeasedSources sources;
    private final List<ConfirmedSends> senders = new CopyOnWriteArrayList<>();

    @Inject
    AmqpConnector(AmqpServer server, AmqpConfig config, BrokerConfig broker, LeasedSources sources) {
        this.server = server;
        this.config = config;
        this.broker = broker;
        this.sources = sources;
    }

    @Produces
    @Singleton
    static Carrier carrier() {
        return new LeasedCarrier(NAME, place -> true);
    }

    @Override
    public Publisher<? extends Message<?>> getPublisher(Config channel) {
        String address = channel.getValue(ADDRESS, String.class);
        return sources.open(new PushedQueue(
                "the address " + address + " of the AMQP broker",
                new AmqpDeliveries(server, address, config.prefetch())));
    }

    @Override
    public Subscriber<? extends Message<?>> getSubscriber(Config channel) {
        ConfirmedSends sender = new ConfirmedSends(new AmqpSends(server, channel.getValue(ADDRESS, String.class)));
        senders.add(sender);
        return BoundedSends.subscriber(broker.ordered() ? 1 : config.sendsMax(), sender::send);
    }

    @PreDestroy
    void close() {
        senders.forEach(ConfirmedSends::close);
    }
}
