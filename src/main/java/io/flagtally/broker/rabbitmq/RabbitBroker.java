package io.flagtally.broker.rabbitmq;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import io.flagtally.broker.BrokerCheck;
import io.flagtally.broker.BrokerPlace;
import io.flagtally.platform.BrokerState;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.inject.Any;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeoutException;
import org.eclipse.microprofile.reactive.messaging.spi.Connector;
import org.jspecify.annotations.Nullable;

/** What RabbitMQ says of itself, over a connection of its own. */
@Singleton
class RabbitBroker implements BrokerCheck, BrokerState {

    private final RabbitServer server;
    private final RabbitConnector connector;
    private @Nullable Connection connection;

    @Inject
    RabbitBroker(RabbitServer server, @Any @Connector(RabbitConnector.NAME) RabbitConnector connector) {
        this.server = server;
        this.connector = connector;
    }

    @Override
    public String connector() {
        return RabbitConnector.NAME;
    }

    @Override
    public String name() {
        return "RabbitMQ";
    }

    @Override
    public Optional<String> check(BrokerPlace place) {
        try {
            server.requireReachable();
            return Optional.empty();
        } catch (IOException | TimeoutException e) {
            return Optional.of(server.explain(e));
        }
    }

    /** Also makes what is missing, so that a queue that was deleted does not refuse what is sent for long. */
    @Override
    public synchronized Look look() {
        try (Channel channel = connected().createChannel()) {
            server.makePlaces(channel);
            return Look.FINE;
        } catch (IOException | TimeoutException e) {
            return Look.unusable(server.explain(e));
        }
    }

    @Override
    public Optional<String> cannotPublish() {
        return connector.blocked();
    }

    /** What waits in the queue, and what this process holds of it. RabbitMQ does not say here what others hold. */
    @Override
    public synchronized OptionalLong lag() {
        try (Channel channel = connected().createChannel()) {
            return OptionalLong.of(channel.messageCount(server.queue()) + connector.held());
        } catch (IOException | TimeoutException e) {
            return OptionalLong.empty();
        }
    }

    @PreDestroy
    synchronized void close() {
        if (connection != null) {
            connection.abort(RabbitServer.PATIENCE_MILLIS);
        }
    }

    private Connection connected() throws IOException, TimeoutException {
        Connection open = connection;
        if (open == null || !open.isOpen()) {
            open = server.connect("state");
            connection = open;
        }
        return open;
    }
}
