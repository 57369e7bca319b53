package io.flagtally.broker.kafka;

import io.quarkus.runtime.annotations.RegisterForProxy;
import io.smallrye.common.annotation.Identifier;
import io.smallrye.mutiny.Uni;
import io.smallrye.reactive.messaging.kafka.KafkaConnectorIncomingConfiguration;
import io.smallrye.reactive.messaging.kafka.KafkaConsumer;
import io.smallrye.reactive.messaging.kafka.commit.KafkaCommitHandler;
import io.vertx.mutiny.core.Vertx;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BiConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.RetriableException;
import org.jspecify.annotations.Nullable;

/**
 * The connector's throttled commits, and one thing more: a commit that Kafka refuses for the moment, as it does while the
 * group is rebalanced, is made again. The connector makes it again only when another record has been acknowledged; on a
 * topic that is quiet what was counted would stay uncommitted, and go aside if it came back after the window.
 */
@ApplicationScoped
@Identifier(CommittedAgain.NAME)
@RegisterForProxy(targets = KafkaConsumer.class)
class CommittedAgain implements KafkaCommitHandler.Factory {

    /** As in {@code commit-strategy}. */
    static final String NAME = "flagtally-throttled";

    private static final Duration PAUSE_MIN = Duration.ofMillis(100);
    private static final Duration PAUSE_MAX = Duration.ofSeconds(2);
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final KafkaCommitHandler.Factory throttled;

    @Inject
    CommittedAgain(@Identifier(KafkaCommitHandler.Strategy.THROTTLED) KafkaCommitHandler.Factory throttled) {
        this.throttled = throttled;
    }

    @Override
    public KafkaCommitHandler create(
            KafkaConnectorIncomingConfiguration config,
            Vertx vertx,
            KafkaConsumer<?, ?> consumer,
            BiConsumer<Throwable, Boolean> reportFailure) {
        return throttled.create(config, vertx, committingAgain(consumer), reportFailure);
    }

    /** {@code consumer}, but for its commits. */
    @SuppressWarnings("unchecked")
    static KafkaConsumer<?, ?> committingAgain(KafkaConsumer<?, ?> consumer) {
        return (KafkaConsumer<?, ?>) Proxy.newProxyInstance(
                KafkaConsumer.class.getClassLoader(),
                new Class<?>[] {KafkaConsumer.class},
                (proxy, method, arguments) -> method.getName().equals("commit")
                        ? commit(consumer, (Map<TopicPartition, OffsetAndMetadata>) arguments[0])
                        : call(consumer, method, arguments));
    }

    private static @Nullable Object call(KafkaConsumer<?, ?> consumer, Method method, Object[] arguments)
            throws Throwable {
        try {
            return method.invoke(consumer, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    private static <K, V> Uni<Void> commit(
            KafkaConsumer<K, V> consumer, Map<TopicPartition, OffsetAndMetadata> offsets) {
        return consumer.commit(offsets)
                .onFailure(CommittedAgain::isForTheMoment)
                .recoverWithUni(() -> commitWhatIsAhead(consumer, offsets)
                        .onFailure(CommittedAgain::isForTheMoment)
                        .retry()
                        .withBackOff(PAUSE_MIN, PAUSE_MAX)
                        .expireIn(PATIENCE.toMillis()));
    }

    /**
     * What another process owns meanwhile is its to commit, and a later commit than this one may be done: the connector
     * begins to commit anew as soon as it is assigned a partition. In one step, so that nothing comes between.
     */
    private static <K, V> Uni<Void> commitWhatIsAhead(
            KafkaConsumer<K, V> consumer, Map<TopicPartition, OffsetAndMetadata> offsets) {
        return consumer.runOnPollingThread(kafka -> {
            Map<TopicPartition, OffsetAndMetadata> ahead = new HashMap<>(offsets);
            ahead.keySet().retainAll(kafka.assignment());
            kafka.committed(ahead.keySet())
                    .forEach((partition, done) -> ahead.computeIfPresent(
                            partition,
                            (same, wanted) -> done != null && done.offset() >= wanted.offset() ? null : wanted));
            if (!ahead.isEmpty()) {
                kafka.commitSync(ahead);
            }
        });
    }

    private static boolean isForTheMoment(Throwable failure) {
        return failure instanceof RetriableException || failure instanceof RebalanceInProgressException;
    }
}
