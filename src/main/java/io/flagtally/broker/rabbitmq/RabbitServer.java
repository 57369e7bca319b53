package io.flagtally.broker.rabbitmq;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Address;
import com.rabbitmq.client.AuthenticationFailureException;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
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
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
    private static final Map<String, Object> UNLIMITED = Map.of("x-queue-type", "quorum", "x-delivery-limit", -1);
    private static final Pattern MAJOR = Pattern.compile("^([0-9]{1,4})\\.");
    private static final int FIRST_WITH_A_LIMIT = 4;
    private static final Logger LOG = Logger.getLogger(RabbitServer.class);

    /** What waiting cannot mend; a virtual host that is not up yet and a server short of something are none of it. */
    private static final Set<Integer> FINAL =
            Set.of(AMQP.ACCESS_REFUSED, AMQP.NOT_FOUND, AMQP.PRECONDITION_FAILED, AMQP.NOT_ALLOWED);

    private final RabbitConfig config;
    private final BrokerConfig broker;

    /** Queues with the server's limit, which were told of. */
    private final Set<String> limited = ConcurrentHashMap.newKeySet();

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

    private void makeQueue(Channel channel, String name, String exchange) throws IOException {
        Connection connection = channel.getConnection();
        boolean limits = limitsDeliveries(connection.getServerProperties());
        if (!limits || isKnownAsLimited(connection, name) || !isWithoutLimit(connection, name)) {
            var declared = channel.queueDeclare(name, true, false, false, QUORUM);
            if (limits && limited.add(name)) {
                LOG.warnf(
                        "The queue %s has a limit of deliveries, after which RabbitMQ drops a message; set the policy"
                                + " delivery-limit of it to -1",
                        name);
            }
        }
        var bound = channel.queueBind(name, exchange, "#");
    }

    /** Whether quorum queues of this server drop a message after 20 deliveries, unless the queue says otherwise. */
    boolean limitsDeliveries(Map<String, Object> serverProperties) {
        Matcher version = MAJOR.matcher(String.valueOf(serverProperties.get("version")));
        return version.find() && Integer.parseInt(version.group(1)) >= FIRST_WITH_A_LIMIT;
    }

    /** Whether the queue was found with the server's limit and is there still. */
    private boolean isKnownAsLimited(Connection connection, String name) throws IOException {
        if (limited.contains(name)
                && !passes(connection, channel -> channel.queueDeclarePassive(name), AMQP.NOT_FOUND)) {
            limited.remove(name);
        }
        return limited.contains(name);
    }

    /** Makes the queue; false if it was made with the server's limit, perhaps by an older one. */
    private static boolean isWithoutLimit(Connection connection, String name) throws IOException {
        return passes(
                connection,
                channel -> channel.queueDeclare(name, true, false, false, UNLIMITED),
                AMQP.PRECONDITION_FAILED);
    }

    private interface Question {
        Object ask(Channel channel) throws IOException;
    }

    /** Asks on a channel of its own, which the refusal {@code no} closes; false if that is the answer. */
    private static boolean passes(Connection connection, Question question, int no) throws IOException {
        Channel channel = connection.createChannel();
        try {
            Object unused = question.ask(channel);
            return true;
        } catch (IOException e) {
            if (refusal(e).map(Refusal::code).orElse(0) != no) {
                throw e;
            }
            return false;
        } finally {
            channel.abort();
        }
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
        } catch (AuthenticationFailureException e) {
            throw new BrokerStartException(
                    "RabbitMQ at %s refuses the credentials; set flagtally.broker.rabbitmq.username and password."
                            .formatted(where()),
                    e);
        } catch (IOException e) {
            if (!isFinal(e)) {
                throw e;
            }
            throw new BrokerStartException(
                    "RabbitMQ at %s refuses (%s); look at flagtally.broker.rabbitmq.virtual-host, and at publish-to, subscribe-to and dead-letter-to under flagtally.broker."
                            .formatted(where(), text(e)),
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
        String message = failure instanceof ShutdownSignalException ? null : failure.getMessage();
        return refusal(failure).map(Refusal::text).orElse(message == null ? "the connection was lost" : message);
    }

    /** Whether the server answered with something that waiting cannot mend. */
    static boolean isFinal(IOException failure) {
        return refusal(failure)
                .filter(refusal -> FINAL.contains(refusal.code()))
                .isPresent();
    }

    /** What the server said when it closed the connection or the channel; empty if it said nothing, or that it stops. */
    private static Optional<Refusal> refusal(Throwable failure) {
        Throwable cause = failure instanceof ShutdownSignalException ? failure : failure.getCause();
        if (!(cause instanceof ShutdownSignalException closed)) {
            return Optional.empty();
        }
        if (closed.getReason() instanceof AMQP.Connection.Close connection
                && connection.getReplyCode() != AMQP.CONNECTION_FORCED) {
            return Optional.of(new Refusal(connection.getReplyCode(), connection.getReplyText()));
        }
        return closed.getReason() instanceof AMQP.Channel.Close channel
                ? Optional.of(new Refusal(channel.getReplyCode(), channel.getReplyText()))
                : Optional.empty();
    }

    /** Why the server closed a connection or a channel. */
    private record Refusal(int code, String text) {}

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

        @Override
        protected void log(String message, @Nullable Throwable failure) {
            LOG.debug(message, failure);
        }
    }
}
