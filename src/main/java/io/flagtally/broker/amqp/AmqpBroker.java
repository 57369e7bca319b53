package io.flagtally.broker.amqp;

import io.flagtally.broker.BrokerCheck;
import io.flagtally.broker.BrokerPlace;
import io.flagtally.broker.BrokerStartException;
import io.flagtally.platform.BrokerState;
import io.vertx.amqp.AmqpClient;
import io.vertx.amqp.AmqpClientOptions;
import io.vertx.amqp.AmqpConnection;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.proton.sasl.MechanismMismatchException;
import jakarta.annotation.PreDestroy;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.microprofile.config.Config;
import org.jspecify.annotations.Nullable;

/** Whether an AMQP 1.0 broker is there, asked over a connection of its own, and whether it has our addresses. */
@Singleton
class AmqpBroker implements BrokerCheck, BrokerState {

    static final String CONNECTOR = "smallrye-amqp";

    private static final String HOST = "amqp-host";
    private static final int PORT_DEFAULT = 5672;
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final Vertx vertx;
    private final Config config;
    private @Nullable AmqpClient client;
    private @Nullable AmqpConnection connection;

    @Inject
    AmqpBroker(Vertx vertx, Config config) {
        this.vertx = vertx;
        this.config = config;
    }

    @Override
    public String connector() {
        return CONNECTOR;
    }

    @Override
    public String name() {
        return "the AMQP broker";
    }

    @Override
    public synchronized Optional<String> check(BrokerPlace place) {
        if (text(HOST).isEmpty()) {
            throw new BrokerStartException(
                    "The profile amqp needs an AMQP 1.0 broker; set " + HOST + " (and amqp-port).");
        }
        AmqpConnection open;
        try {
            open = connected();
        } catch (ExecutionException | TimeoutException e) {
            if (isRefusal(e.getCause())) {
                throw new BrokerStartException(
                        "The AMQP broker at %s refuses the credentials; set amqp-username and amqp-password."
                                .formatted(where()),
                        e);
            }
            return Optional.of(away(e));
        }
        place.publishTo()
                .ifPresent(to -> require(open.createSender(to).compose(link -> link.close()), to, "publish-to"));
        place.deadLetterTo()
                .ifPresent(to -> require(open.createSender(to).compose(link -> link.close()), to, "dead-letter-to"));
        // Without a handler it gives no credit, so nothing is delivered to it.
        place.subscribeTo()
                .ifPresent(
                        from -> require(open.createReceiver(from).compose(link -> link.close()), from, "subscribe-to"));
        return Optional.empty();
    }

    @Override
    public synchronized Optional<String> missing() {
        try {
            var unused = connected();
            return Optional.empty();
        } catch (ExecutionException | TimeoutException e) {
            return Optional.of(away(e));
        }
    }

    /** AMQP 1.0 has no word for it. */
    @Override
    public OptionalLong lag() {
        return OptionalLong.empty();
    }

    @PreDestroy
    synchronized void close() {
        if (client != null) {
            var unused = client.close();
        }
    }

    private AmqpConnection connected() throws ExecutionException, TimeoutException {
        AmqpConnection open = connection;
        if (open != null && !open.isDisconnected()) {
            return open;
        }
        if (client == null) {
            client = AmqpClient.create(vertx, options());
        }
        open = await(client.connect());
        connection = open;
        return open;
    }

    private void require(Future<Void> attached, String address, String key) {
        try {
            var unused = await(attached);
        } catch (ExecutionException | TimeoutException e) {
            throw new BrokerStartException(
                    "The AMQP broker at %s does not open the address %s (%s); create it or grant it, or set flagtally.broker.%s to another."
                            .formatted(where(), address, e.getMessage(), key),
                    e);
        }
    }

    private AmqpClientOptions options() {
        AmqpClientOptions options = new AmqpClientOptions()
                .setHost(text(HOST).orElse("localhost"))
                .setPort(port())
                .setSsl(config.getOptionalValue("amqp-use-ssl", Boolean.class).orElse(false))
                .setConnectTimeout((int) PATIENCE.toMillis())
                .setHeartbeat((int) PATIENCE.toMillis());
        text("amqp-username").ifPresent(options::setUsername);
        text("amqp-password").ifPresent(options::setPassword);
        text("amqp-virtual-host").ifPresent(options::setVirtualHost);
        return options;
    }

    private static <T> T await(Future<T> future) throws ExecutionException, TimeoutException {
        try {
            return future.toCompletionStage().toCompletableFuture().get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ExecutionException(e);
        }
    }

    private static boolean isRefusal(@Nullable Throwable cause) {
        return cause instanceof SecurityException || cause instanceof MechanismMismatchException;
    }

    private String away(Exception e) {
        String why = e instanceof TimeoutException ? "no answer after " + PATIENCE.toSeconds() + " s" : e.getMessage();
        return "The AMQP broker at %s (%s) cannot be used: %s".formatted(where(), HOST, why);
    }

    private String where() {
        return text(HOST).orElse("localhost") + ":" + port();
    }

    private int port() {
        return config.getOptionalValue("amqp-port", Integer.class).orElse(PORT_DEFAULT);
    }

    private Optional<String> text(String key) {
        return config.getOptionalValue(key, String.class);
    }
}
