package io.flagtally.broker.aws;

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
 * Sends to SNS topics and SQS queues, and receives from SQS queues. A channel has one key of its own, {@code address}: an
 * ARN, the URL of a queue or the name of a queue; and {@code ordered}, which sends one message at a time.
 */
@ApplicationScoped
@Connector(AwsConnector.NAME)
public class AwsConnector implements InboundConnector, OutboundConnector {

    public static final String NAME = "flagtally-aws";

    private static final String ADDRESS = "address";
    private static final String ORDERED = "ordered";

    /** AWS takes ten attributes; one says how the bytes of the payload travel. */
    private static final int HEADERS_MAX = 9;

    private final AwsConfig config;
    private final AwsClients clients;
    private final LeasedSources sources;

    @Inject
    AwsConnector(AwsConfig config, AwsClients clients, LeasedSources sources) {
        this.config = config;
        this.clients = clients;
        this.sources = sources;
    }

    @Produces
    @Singleton
    static Carrier carrier() {
        return new LeasedCarrier(NAME, place -> AwsAddress.of(place).isOrdered(), HEADERS_MAX);
    }

    @Override
    public Publisher<? extends Message<?>> getPublisher(Config channel) {
        AwsAddress address = AwsAddress.of(channel.getValue(ADDRESS, String.class));
        return sources.open(new SqsQueue(clients, address, config.visibility()));
    }

    @Override
    public Subscriber<? extends Message<?>> getSubscriber(Config channel) {
        AwsAddress address = AwsAddress.of(channel.getValue(ADDRESS, String.class));
        boolean ordered = channel.getOptionalValue(ORDERED, Boolean.class).orElse(false);
        AwsTarget target = new AwsTarget(clients, address);
        return BoundedSends.subscriber(ordered ? 1 : config.sendsMax(), target::send);
    }
}
