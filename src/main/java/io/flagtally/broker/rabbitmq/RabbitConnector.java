package io.flagtally.broker.rabbitmq;

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
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow.Publisher;
import java.util.concurrent.Flow.Subscriber;
import org.eclipse.microprofile.config.Config;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.eclipse.microprofile.reactive.messaging.spi.Connector;

/**
 * RabbitMQ as a broker. An outgoing channel names its {@code exchange}; an incoming one listens to the queue of our group.
 * Each channel has a connection and a thread of its own, since RabbitMQ's client blocks.
 */
@ApplicationScoped
@Connector(RabbitConnector.NAME)
public class RabbitConnector implements InboundConnector, OutboundConnector {

    public static final String NAME = "flagtally-rabbitmq";

    private static final String EXCHANGE = "exchange";

    private final RabbitServer server;
    private final RabbitConfig config;
    private final BrokerConfig broker;
    private final LeasedSources sources;
    private final List<PushedQueue> queues = new CopyOnWriteArrayList<>();
    private final List<RabbitSends> sends = new CopyOnWriteArrayList<>();
    private final List<ConfirmedSends> senders = new CopyOnWriteArrayList<>();
    private final List<ExecutorService> threads = new CopyOnWriteArrayList<>();

    @Inject
    RabbitConnector(RabbitServer server, RabbitConfig config, BrokerConfig broker, LeasedSources sources) {
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
        PushedQueue queue = new PushedQueue(
                "the queue " + server.queue() + " of RabbitMQ",
                new RabbitDeliveries(server, config.prefetch(), thread(server.queue())));
        queues.add(queue);
        return sources.open(queue);
    }

    @Override
    public Subscriber<? extends Message<?>> getSubscriber(Config channel) {
        String exchange = channel.getValue(EXCHANGE, String.class);
        RabbitSends opener = new RabbitSends(server, exchange, thread(exchange));
        ConfirmedSends sender = new ConfirmedSends(opener);
        sends.add(opener);
        senders.add(sender);
        return BoundedSends.subscriber(broker.ordered() ? 1 : config.sendsMax(), sender::send);
    }

    /** Messages that this process was given and has not acknowledged. */
    long held() {
        return queues.stream().mapToLong(PushedQueue::held).sum();
    }

    /** Why RabbitMQ takes no messages just now; empty if it does. */
    Optional<String> blocked() {
        return sends.stream()
                .map(RabbitSends::blocked)
                .filter(Objects::nonNull)
                .map(reason -> "RabbitMQ takes no messages: " + reason)
                .findFirst();
    }

    @PreDestroy
    void close() {
        senders.forEach(ConfirmedSends::close);
        threads.forEach(ExecutorService::shutdown);
    }

    private ExecutorService thread(String name) {
        ExecutorService thread = Executors.newSingleThreadExecutor(task -> {
            Thread made = new Thread(task, "rabbitmq " + name);
            made.setDaemon(true);
            return made;
        });
        threads.add(thread);
        return thread;
    }
}
