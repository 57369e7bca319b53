package io.flagtally.broker.rabbitmq;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Address;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.PossibleAuthenticationFailureException;
import com.rabbitmq.client.ShutdownSignalException;
import io.flagtally.broker.BrokerCheck;
import io.flagtally.broker.BrokerPlace;
import io.flagtally.broker.BrokerStartException;
import io.flagtally.platform.BrokerState;
import io.flagtally.platform.config.BrokerConfig;
import jakarta.annotation.PreDestroy;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeoutException;
import org.eclipse.microprofile.config.Config;
import org.jspecify.annotations.Nullable;

/**
 * What RabbitMQ says of itself, over a connection of its own, and the queues that must be there before a message is sent.
 *
 * <p>{@code publish-to} and {@code subscribe-to} are fanout exchanges; each group has the quorum queue
 * {@code <subscribe-to>.<group>} bound to it. {@code dead-letter-to} is a fanout exchange with a quorum queue of that name.
 */
@Singleton
class RabbitBroker implements BrokerCheck, BrokerState {

    static final String CONNECTOR = "smallrye-rabbitmq";

    private static final String HOST = "rabbitmq-host";
    private static final String ADDRESSES = "rabbitmq-addresses";
    private static final int PATIENCE_MILLIS = 5_000;
    private static final int PORT_DEFAULT = 5672;
    private static final Map<String, Object> QUORUM = Map.of("x-queue-type", "quorum");

    private final BrokerConfig broker;
    private final Config config;
    private @Nullable Connection connection;
    private boolean made;

    @Inject
    RabbitBroker(BrokerConfig broker, Config config) {
        this.broker = broker;
        this.config = config;
    }

    @Override
    public String connector() {
        return CONNECTOR;
    }

    @Override
    public String name() {
        return "RabbitMQ";
    }

    @Override
    public synchronized Optional<String> check(BrokerPlace place) {
        if (text(HOST).isEmpty() && text(ADDRESSES).isEmpty()) {
            throw new BrokerStartException("The profile rabbitmq needs a RabbitMQ; set " + HOST
                    + " (and rabbitmq-port), or " + ADDRESSES + ".");
        }
        try {
            var unused = connected();
            return Optional.empty();
        } catch (PossibleAuthenticationFailureException e) {
            throw new BrokerStartException(
                    "RabbitMQ at %s refuses the credentials; set rabbitmq-username and rabbitmq-password."
                            .formatted(where()),
                    e);
        } catch (IOException | TimeoutException e) {
            String refusal = refusal(e);
            if (refusal == null) {
                return Optional.of(away(e));
            }
            throw new BrokerStartException(
                    "RabbitMQ at %s refuses (%s); look at rabbitmq-virtual-host, and at publish-to, subscribe-to and dead-letter-to under flagtally.broker."
                            .formatted(where(), refusal),
                    e);
        }
    }

    /** Also makes the exchanges and queues, once a connection. */
    @Override
    public synchronized Optional<String> missing() {
        try {
            var unused = connected();
            return Optional.empty();
        } catch (IOException | TimeoutException e) {
            return Optional.of(away(e));
        }
    }

    @Override
    public synchronized OptionalLong lag() {
        try (Channel channel = connected().createChannel()) {
            return OptionalLong.of(channel.queueDeclarePassive(queue()).getMessageCount());
        } catch (IOException | TimeoutException e) {
            return OptionalLong.empty();
        }
    }

    @PreDestroy
    synchronized void close() {
        if (connection != null) {
            connection.abort(PATIENCE_MILLIS);
        }
    }

    private Connection connected() throws IOException, TimeoutException {
        Connection open = connection;
        if (open == null || !open.isOpen()) {
            open = factory().newConnection(addresses(), "flagtally-state");
            connection = open;
            made = false;
        }
        if (!made) {
            try (Channel channel = open.createChannel()) {
                make(channel);
            }
            made = true;
        }
        return open;
    }

    private void make(Channel channel) throws IOException {
        exchange(channel, broker.publishTo());
        exchange(channel, broker.subscribeTo());
        queue(channel, queue(), broker.subscribeTo());
        if (broker.deadLetterTo().isPresent()) {
            String deadLetters = broker.deadLetterTo().get();
            exchange(channel, deadLetters);
            queue(channel, deadLetters, deadLetters);
        }
    }

    private static void exchange(Channel channel, String name) throws IOException {
        var unused = channel.exchangeDeclare(name, "fanout", true);
    }

    private static void queue(Channel channel, String name, String exchange) throws IOException {
        var declared = channel.queueDeclare(name, true, false, false, QUORUM);
        var bound = channel.queueBind(name, exchange, "#");
    }

    private String queue() {
        return broker.subscribeTo() + "." + broker.consumerGroup();
    }

    private ConnectionFactory factory() {
        ConnectionFactory factory = new ConnectionFactory();
        text("rabbitmq-username").ifPresent(factory::setUsername);
        text("rabbitmq-password").ifPresent(factory::setPassword);
        text("rabbitmq-virtual-host").ifPresent(factory::setVirtualHost);
        factory.setAutomaticRecoveryEnabled(false);
        factory.setConnectionTimeout(PATIENCE_MILLIS);
        factory.setHandshakeTimeout(PATIENCE_MILLIS);
        factory.setChannelRpcTimeout(PATIENCE_MILLIS);
        factory.setRequestedHeartbeat(PATIENCE_MILLIS / 1_000);
        if (config.getOptionalValue("rabbitmq-ssl", Boolean.class).orElse(false)) {
            secure(factory);
        }
        return factory;
    }

    private void secure(ConnectionFactory factory) {
        try {
            factory.useSslProtocol(javax.net.ssl.SSLContext.getDefault());
            factory.enableHostnameVerification();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private List<Address> addresses() {
        return List.of(Address.parseAddresses(text(ADDRESSES).orElseGet(this::where)));
    }

    private String where() {
        return text(ADDRESSES)
                .orElseGet(() -> text(HOST).orElse("localhost") + ":"
                        + config.getOptionalValue("rabbitmq-port", Integer.class)
                                .orElse(PORT_DEFAULT));
    }

    private Optional<String> text(String key) {
        return config.getOptionalValue(key, String.class);
    }

    private String away(Exception e) {
        return "RabbitMQ at %s (%s) cannot be used: %s".formatted(where(), HOST, e.getMessage());
    }

    /** What the server said when it closed the connection or the channel; null if it said nothing. */
    private static @Nullable String refusal(Exception e) {
        if (e.getCause() instanceof ShutdownSignalException closed) {
            if (closed.getReason() instanceof AMQP.Connection.Close connection) {
                return connection.getReplyText();
            }
            if (closed.getReason() instanceof AMQP.Channel.Close channel) {
                return channel.getReplyText();
            }
        }
        return null;
    }
}
