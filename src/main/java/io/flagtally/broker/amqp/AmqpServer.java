package io.flagtally.broker.amqp;

import io.flagtally.broker.BrokerAddress;
import io.flagtally.broker.BrokerPlace;
import io.flagtally.broker.BrokerStartException;
import io.smallrye.mutiny.Uni;
import io.vertx.amqp.AmqpClient;
import io.vertx.amqp.AmqpClientOptions;
import io.vertx.amqp.AmqpConnection;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.proton.sasl.MechanismMismatchException;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.security.sasl.AuthenticationException;

/** Connects to the broker. Blocks nobody, except {@link #requirePlaces}. */
@Singleton
class AmqpServer {

    static final Duration PATIENCE = Duration.ofSeconds(5);

    private static final String ADDRESSES = "flagtally.broker.amqp.addresses";
    private static final int PORT_DEFAULT = 5672;
    private static final int PORT_DEFAULT_TLS = 5671;
    private static final int HEARTBEAT_MILLIS = 10_000;

    /** As the client writes what the broker answered: {@code Error{condition=amqp:not-found, description='…'}}. */
    private static final Pattern CONDITION = Pattern.compile("condition=([a-z:-]+)");

    private static final Set<String> FINAL = Set.of(
            "amqp:not-found",
            "amqp:unauthorized-access",
            "amqp:not-allowed",
            "amqp:not-implemented",
            "amqp:invalid-field",
            "amqp:precondition-failed");

    private final Vertx vertx;
    private final AmqpConfig config;
    private final AtomicInteger attempts = new AtomicInteger();

    @Inject
    AmqpServer(Vertx vertx, AmqpConfig config) {
        this.vertx = vertx;
        this.config = config;
    }

    /**
     * Opens a connection, which is not made again when it is lost. Fails if the broker does not answer within
     * {@link #PATIENCE}.
     *
     * @param lost is told when the connection is gone
     */
    Uni<AmqpConnection> connect(Consumer<Throwable> lost) {
        Future<AmqpConnection> connecting = AmqpClient.create(vertx, options()).connect();
        return uni(connecting)
                .invoke(open -> {
                    var listened = open.exceptionHandler(lost::accept);
                    if (open.isDisconnected()) {
                        throw new AmqpAwayException("the connection was lost", null);
                    }
                })
                .onFailure()
                .invoke(failure -> connecting.onSuccess(AmqpServer::end));
    }

    /** Closes a connection and waits for nothing. */
    static void end(AmqpConnection connection) {
        var unused = connection.close();
    }

    /** Fails if {@code future} is not done within {@link #PATIENCE}. */
    static <T> Uni<T> uni(Future<T> future) {
        return Uni.createFrom()
                .completionStage(future.toCompletionStage())
                .ifNoItem()
                .after(PATIENCE)
                .failWith(() -> new AmqpAwayException("no answer after " + PATIENCE.toSeconds() + " s", null));
    }

    /** Refuses what no waiting can mend; a sentence if the broker is away. */
    Optional<String> requirePlaces(BrokerPlace place) {
        if (config.addresses().isEmpty()) {
            throw new BrokerStartException(
                    "The profile amqp needs a broker that speaks AMQP 1.0; set " + ADDRESSES + " to its host:port.");
        }
        AmqpConnection open;
        try {
            open = await(connect(lost -> {}));
        } catch (BrokerStartException e) {
            throw e;
        } catch (RuntimeException e) {
            if (isRefusal(e)) {
                throw new BrokerStartException(
                        "The AMQP broker at %s refuses the credentials; set flagtally.broker.amqp.username and password."
                                .formatted(where()),
                        e);
            }
            return Optional.of(explain(e));
        }
        try {
            requirePlaces(open, place);
            return Optional.empty();
        } catch (BrokerStartException e) {
            throw e;
        } catch (RuntimeException e) {
            return Optional.of(explain(e));
        } finally {
            end(open);
        }
    }

    private void requirePlaces(AmqpConnection open, BrokerPlace place) {
        place.publishTo().ifPresent(to -> requireSending(open, to, "flagtally.broker.publish-to"));
        place.deadLetterTo().ifPresent(to -> requireSending(open, to, "flagtally.broker.dead-letter-to"));
        place.mirrorTo().ifPresent(to -> requireSending(open, to, BrokerPlace.MIRROR_TO));
        // Without a handler it gives no credit, so nothing is delivered to it.
        place.subscribeTo()
                .ifPresent(from -> require(
                        open.createReceiver(from).compose(l -> l.close()), from, "flagtally.broker.subscribe-to"));
    }

    /** One sentence for a person. */
    String explain(Throwable failure) {
        return "The AMQP broker at %s (%s) cannot be used: %s".formatted(where(), ADDRESSES, text(failure));
    }

    static <T> T await(Uni<T> uni) {
        return uni.await().atMost(PATIENCE.plusSeconds(1));
    }

    private void requireSending(AmqpConnection open, String address, String key) {
        require(open.createSender(address).compose(l -> l.close()), address, key);
    }

    private void require(Future<Void> attached, String address, String key) {
        try {
            var unused = await(uni(attached));
        } catch (RuntimeException e) {
            if (!isFinal(e)) {
                throw e;
            }
            throw new BrokerStartException(
                    "The AMQP broker at %s does not open the address %s (%s); create it or grant it, or set %s to another."
                            .formatted(where(), address, text(e), key),
                    e);
        }
    }

    /** Whether the broker answered with something that waiting cannot mend. */
    private static boolean isFinal(Throwable failure) {
        Matcher condition = CONDITION.matcher(text(failure));
        return condition.find() && FINAL.contains(condition.group(1));
    }

    private String where() {
        return config.addresses().map(all -> String.join(", ", all)).orElse("an unknown address");
    }

    private static String text(Throwable failure) {
        Throwable cause = failure.getCause() == null ? failure : failure.getCause();
        String message = cause.getMessage();
        return message == null ? cause.getClass().getSimpleName() : message;
    }

    private static boolean isRefusal(Throwable failure) {
        return isSasl(failure) || (failure.getCause() != null && isSasl(failure.getCause()));
    }

    private static boolean isSasl(Throwable failure) {
        return failure instanceof AuthenticationException || failure instanceof MechanismMismatchException;
    }

    private AmqpClientOptions options() {
        List<BrokerAddress> all = BrokerAddress.all(
                config.addresses().orElseGet(List::of), config.tls() ? PORT_DEFAULT_TLS : PORT_DEFAULT, ADDRESSES);
        BrokerAddress address = all.get(Math.floorMod(attempts.getAndIncrement(), all.size()));
        AmqpClientOptions options = new AmqpClientOptions()
                .setHost(address.host())
                .setPort(address.port())
                .setConnectTimeout((int) PATIENCE.toMillis());
        options.setHeartbeat(HEARTBEAT_MILLIS);
        config.username().ifPresent(options::setUsername);
        config.password().ifPresent(options::setPassword);
        if (config.tls()) {
            options.setSsl(true).setHostnameVerificationAlgorithm("HTTPS");
        }
        return options;
    }
}
