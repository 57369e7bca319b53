package io.flagtally.broker.azure;

import io.flagtally.broker.BrokerCheck;
import io.flagtally.broker.BrokerPlace;
import io.flagtally.broker.BrokerStartException;
import io.flagtally.platform.BrokerState;
import io.flagtally.platform.config.BrokerConfig;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Future;
import io.vertx.proton.ProtonReceiver;
import io.vertx.proton.ProtonSender;
import jakarta.annotation.PreDestroy;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.qpid.proton.amqp.UnsignedLong;
import org.jspecify.annotations.Nullable;

/** Whether Service Bus lets us attach to our queues, topics and subscriptions, asked over a connection of its own. */
@Singleton
class AzureBroker implements BrokerCheck, BrokerState {

    private static final String PUBLISH_TO = "flagtally.broker.publish-to";
    private static final String SUBSCRIBE_TO = "flagtally.broker.subscribe-to";
    private static final String DEAD_LETTER_TO = "flagtally.broker.dead-letter-to";
    private static final Duration LOCK_MIN = Duration.ofSeconds(1);
    private static final Duration LOCK_MAX = Duration.ofMinutes(5);
    private static final Duration PATIENCE =
            Duration.ofMillis(AzureConnection.CONNECT_MILLIS).plusSeconds(1);

    private final AzureServer server;
    private final BrokerConfig broker;
    private @Nullable AzureConnection connection;

    @Inject
    AzureBroker(AzureServer server, BrokerConfig broker) {
        this.server = server;
        this.broker = broker;
    }

    @Override
    public String connector() {
        return AzureConnector.NAME;
    }

    @Override
    public String name() {
        return "Azure Service Bus";
    }

    @Override
    public synchronized Optional<String> check(BrokerPlace place) {
        server.requireConfigured();
        requireLockDuration();
        try {
            for (Look look : new Look[] {
                new Look(PUBLISH_TO, place.publishTo(), true),
                new Look(DEAD_LETTER_TO, place.deadLetterTo(), true),
                new Look(BrokerPlace.MIRROR_TO, place.mirrorTo(), true),
                new Look(SUBSCRIBE_TO, place.subscribeTo(), false)
            }) {
                Optional<AzureFailure> failure = look.entity.flatMap(entity -> look(entity, look.sending));
                if (failure.isPresent()) {
                    return Optional.of(judged(failure.get(), look));
                }
            }
            return Optional.empty();
        } finally {
            close();
        }
    }

    @Override
    public synchronized Optional<String> cannotPublish() {
        return look(broker.publishTo(), true).map(failure -> failure.sentence(broker.publishTo(), PUBLISH_TO));
    }

    @Override
    public synchronized Optional<String> cannotConsume() {
        return look(broker.subscribeTo(), false).map(failure -> failure.sentence(broker.subscribeTo(), SUBSCRIBE_TO));
    }

    /** Service Bus tells how much waits over HTTP and Azure Monitor only. */
    @Override
    public OptionalLong lag() {
        return OptionalLong.empty();
    }

    @PreDestroy
    synchronized void close() {
        AzureConnection open = connection;
        connection = null;
        if (open != null) {
            var unused = open.close();
        }
    }

    private record Look(String key, Optional<String> entity, boolean sending) {}

    private static String judged(AzureFailure failure, Look look) {
        String sentence = failure.sentence(look.entity.orElseThrow(), look.key);
        if (failure.isFinal()) {
            throw new BrokerStartException(sentence);
        }
        return sentence;
    }

    private void requireLockDuration() {
        Duration lock = server.config().lockDuration();
        if (lock.compareTo(LOCK_MIN) < 0 || lock.compareTo(LOCK_MAX) > 0) {
            throw new BrokerStartException("flagtally.broker.azure.lock-duration is " + lock
                    + ", but Service Bus locks for a second to five minutes; set it to the lock duration of the queue or"
                    + " subscription.");
        }
    }

    /** Attaches to the entity, without credit, and lets go. */
    private Optional<AzureFailure> look(String entity, boolean sending) {
        try {
            AzureConnection open = connected();
            Long bytesMax = await(open.call(() -> open.authorize(entity)
                    .compose(authorized -> sending ? sending(open, entity) : receiving(open, entity))));
            if (bytesMax > 0 && bytesMax < broker.message().bytesMax()) {
                throw new BrokerStartException("flagtally.broker.message.bytes-max is "
                        + broker.message().bytesMax() + ", but " + entity + " takes messages of " + bytesMax
                        + " bytes with their headers; set it to less.");
            }
            return Optional.empty();
        } catch (BrokerStartException e) {
            throw e;
        } catch (RuntimeException e) {
            close();
            return Optional.of(AzureFailure.of(e));
        }
    }

    /** The bytes that a message may have; zero if nothing is said. */
    private static Future<Long> sending(AzureConnection open, String entity) {
        return open.sender(entity, end -> {}).map(link -> {
            UnsignedLong bytesMax = link.getRemoteMaxMessageSize();
            ProtonSender closed = link.closeHandler(null).detachHandler(null).close();
            return bytesMax == null ? 0 : bytesMax.longValue();
        });
    }

    private static Future<Long> receiving(AzureConnection open, String entity) {
        return open.receiver(proton -> proton.createReceiver(entity).setPrefetch(0), end -> {})
                .map(link -> {
                    ProtonReceiver closed =
                            link.closeHandler(null).detachHandler(null).close();
                    return 0L;
                });
    }

    private AzureConnection connected() {
        AzureConnection open = connection;
        if (open == null || open.isEnded()) {
            open = await(server.connect(lost -> {}));
            connection = open;
        }
        return open;
    }

    private static <T> T await(Uni<T> uni) {
        return uni.await().atMost(PATIENCE);
    }
}
