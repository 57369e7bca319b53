package io.flagtally.broker.rabbitmq;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Address;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.PossibleAuthenticationFailureException;
import com.rabbitmq.client.ShutdownSignalException;
import com.rabbitmq.client.impl.ForgivingExceptionHandler;
import io.flagtally.broker.BrokerAddress;
import io.flagtally.broker.BrokerStartException;
import io.flagtally.platform.config.BrokerConfig;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLContext;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Connects to RabbitMQ and makes what must be there before a message is sent. Blocks.
 *
 * <p>{@code publish-to} and {@code subscribe-to} are fanout exchanges; each group has the quorum queue
 * {@code <subscribe-to>.<group>} bound to it. {@code dead-letter-to} is a fanout exchange with a quorum queue of that name.
 */
@Singleton
class RabbitServer {

    static final int PATIENCE_MILLIS = 5_000;

    private static final String ADDRESSES = "flagtally.broker.rabbitmq.addresses";
    private static final int PORT_DEFAULT = 5672;
    private static final int PORT_DEFAULT_TLS = 5671;
    private static final Map<String, Object> QUORUM = Map.of("x-queue-type", "quorum");

    private final RabbitConfig config;
    private final BrokerConfig broker;

    @Inject
    RabbitServer(RabbitConfig config, BrokerConfig broker) {
        this.config = config;
        this.broker = broker;
    }

    /**
     * Opens a connection, which is not made again when it is lost.
     *
     * @param name what RabbitMQ shows of it
     * @throws BrokerStartException if the addresses cannot be read
     */
    Connection connect(String name) throws IOException, TimeoutException {
        List<Address> addresses = addresses().stream()
                .map(each -> new Address(each.host(), each.port()))
                .toList();
        return factory().newConnection(addresses, "flagtally " + name);
    }

    /** Makes exchanges and queues, unless they are there. */
    void makePlaces(Channel channel) throws IOException {
        makeExchange(channel, broker.publishTo());
        makeExchange(channel, broker.subscribeTo());
        makeQueue(channel, queue(), broker.subscribeTo());
        if (broker.deadLetterTo().isPresent()) {
            String deadLetters = broker.deadLetterTo().get();
            makeExchange(channel, deadLetters);
            makeQueue(channel, deadLetters, deadLetters);
        }
    }

    static void makeExchange(Channel channel, String name) throws IOException {
        var unused = channel.exchangeDeclare(name, "fanout", true);
    }

    private static void makeQueue(Channel channel, String name, String exchange) throws IOException {
        var declared = channel.queueDeclare(name, true, false, false, QUORUM);
        var bound = channel.queueBind(name, exchange, "#");
    }

    /** The queue of our group. */
    String queue() {
        return broker.subscribeTo() + "." + broker.consumerGroup();
    }

    /** Refuses what no waiting can mend. */
    void requireReachable() throws IOException, TimeoutException {
        if (config.addresses().isEmpty()) {
            throw new BrokerStartException(
                    "The profile rabbitmq needs a RabbitMQ; set " + ADDRESSES + " to its host:port.");
        }
        try {
            Connection connection = connect("start");
            try {
                makePlaces(connection.createChannel());
            } finally {
                connection.abort(PATIENCE_MILLIS);
            }
        } catch (PossibleAuthenticationFailureException e) {
            throw new BrokerStartException(
                    "RabbitMQ at %s refuses the credentials; set flagtally.broker.rabbitmq.username and password."
                            .formatted(where()),
                    e);
        } catch (IOException e) {
            Optional<String> refusal = refusal(e);
            if (refusal.isEmpty()) {
                throw e;
            }
            throw new BrokerStartException(
                    "RabbitMQ at %s refuses (%s); look at flagtally.broker.rabbitmq.virtual-host, and at publish-to, subscribe-to and dead-letter-to under flagtally.broker."
                            .formatted(where(), refusal.get()),
                    e);
        }
    }

    /** One sentence for a person. */
    String explain(Throwable failure) {
        return "RabbitMQ at %s (%s) cannot be used: %s".formatted(where(), ADDRESSES, text(failure));
    }

    private String where() {
        return config.addresses().map(all -> String.join(", ", all)).orElse("an unknown address");
    }

    private static String text(Throwable failure) {
        if (failure instanceof ShutdownSignalException closed) {
            return refused(closed).orElse("the connection was lost");
        }
        Optional<String> refusal = refusal(failure);
        String message = failure.getMessage();
        return refusal.orElse(message == null ? "the connection was lost" : message);
    }

    /** What the server said when it closed the connection or the channel; empty if it said nothing, or that it stops. */
    private static Optional<String> refusal(Throwable failure) {
        return failure.getCause() instanceof ShutdownSignalException closed ? refused(closed) : Optional.empty();
    }

    private static Optional<String> refused(ShutdownSignalException closed) {
        if (closed.getReason() instanceof AMQP.Connection.Close connection
                && connection.getReplyCode() != AMQP.CONNECTION_FORCED) {
            return Optional.of(connection.getReplyText());
        }
        if (closed.getReason() instanceof AMQP.Channel.Close channel) {
            return Optional.of(channel.getReplyText());
        }
        return Optional.empty();
    }

    private List<BrokerAddress> addresses() {
        return BrokerAddress.all(
                config.addresses().orElseGet(List::of), config.tls() ? PORT_DEFAULT_TLS : PORT_DEFAULT, ADDRESSES);
    }

    private ConnectionFactory factory() {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUsername(config.username());
        factory.setPassword(config.password());
        factory.setVirtualHost(config.virtualHost());
        factory.setAutomaticRecoveryEnabled(false);
        factory.setConnectionTimeout(PATIENCE_MILLIS);
        factory.setHandshakeTimeout(PATIENCE_MILLIS);
        factory.setShutdownTimeout(PATIENCE_MILLIS);
        factory.setChannelRpcTimeout(PATIENCE_MILLIS);
        factory.setRequestedHeartbeat(PATIENCE_MILLIS / 1_000);
        factory.setExceptionHandler(new QuietExceptions());
        if (config.tls()) {
            secure(factory);
        }
        return factory;
    }

    private static void secure(ConnectionFactory factory) {
        try {
            factory.useSslProtocol(SSLContext.getDefault());
            factory.enableHostnameVerification();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A lost connection is told once, by those who wait for it. */
    private static final class QuietExceptions extends ForgivingExceptionHandler {

        private static final Logger LOG = Logger.getLogger(RabbitServer.class);

        @Override
        protected void log(String message, @Nullable Throwable failure) {
            LOG.debug(message, failure);
        }
    }
}
