package io.flagtally.broker.amqp;

import io.flagtally.broker.BrokerCheck;
import io.flagtally.broker.BrokerPlace;
import io.flagtally.platform.BrokerState;
import io.vertx.amqp.AmqpConnection;
import jakarta.annotation.PreDestroy;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** Whether an AMQP 1.0 broker is there, asked over a connection of its own, and whether it has our addresses. */
@Singleton
class AmqpBroker implements BrokerCheck, BrokerState {

    private final AmqpServer server;
    private @Nullable AmqpConnection connection;

    @Inject
    AmqpBroker(AmqpServer server) {
        this.server = server;
    }

    @Override
    public String connector() {
        return AmqpConnector.NAME;
    }

    @Override
    public String name() {
        return "the AMQP broker";
    }

    @Override
    public Optional<String> check(BrokerPlace place) {
        return server.requirePlaces(place);
    }

    @Override
    public synchronized Look look() {
        if (connection != null && !connection.isDisconnected()) {
            return Look.FINE;
        }
        try {
            connection = AmqpServer.await(server.connect(lost -> {}));
            return Look.FINE;
        } catch (RuntimeException e) {
            return Look.unusable(server.explain(e));
        }
    }

    /** AMQP 1.0 has no word for it. */
    @Override
    public OptionalLong lag() {
        return OptionalLong.empty();
    }

    @PreDestroy
    synchronized void close() {
        if (connection != null) {
            AmqpServer.end(connection);
        }
    }
}
