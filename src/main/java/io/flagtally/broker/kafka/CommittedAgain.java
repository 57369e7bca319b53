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
import org.jboss.logging.Logger;
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

    private static final Logger LOG = Logger.getLogger(CommittedAgain.class);

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
    static <K, V> KafkaConsumer<K, V> committingAgain(KafkaConsumer<K, V> consumer) {
        Commits<K, V> commits = new Commits<>(consumer);
        return (KafkaConsumer<K, V>) Proxy.newProxyInstance(
                KafkaConsumer.class.getClassLoader(),
                new Class<?>[] {KafkaConsumer.class},
                (proxy, method, arguments) -> method.getName().equals("commit")
                        ? commits.commit((Map<TopicPartition, OffsetAndMetadata>) arguments[0])
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

    private static boolean isForTheMoment(Throwable failure) {
        return failure instanceof RetriableException || failure instanceof RebalanceInProgressException;
    }

    /**
     * The commits of one consumer. What is refused for the moment is told to be done, and made again beside: the connector
     * waits for its commit before it plans the next one, and plans one more whenever it is assigned a partition.
     */
    private static final class Commits<K, V> {

        private final KafkaConsumer<K, V> consumer;
        private final Map<TopicPartition, OffsetAndMetadata> refused = new HashMap<>();
        private boolean committing;

        Commits(KafkaConsumer<K, V> consumer) {
            this.consumer = consumer;
        }

        Uni<Void> commit(Map<TopicPartition, OffsetAndMetadata> offsets) {
            return consumer.commit(offsets)
                    .onFailure(CommittedAgain::isForTheMoment)
                    .recoverWithUni(() -> {
                        again(offsets);
                        return Uni.createFrom().voidItem();
                    });
        }

        private synchronized void again(Map<TopicPartition, OffsetAndMetadata> offsets) {
            refused.putAll(offsets);
            if (committing || refused.isEmpty()) {
                return;
            }
            committing = true;
            Uni.createFrom()
                    .deferred(this::commitRefused)
                    .onFailure(CommittedAgain::isForTheMoment)
                    .retry()
                    .withBackOff(PAUSE_MIN, PAUSE_MAX)
                    .expireIn(PATIENCE.toMillis())
                    .subscribe()
                    .with(this::done, this::failed);
        }

        /**
         * What another process owns meanwhile is its to commit, and a later commit than the refused one may be done. In one
         * step, so that nothing comes between.
         */
        private Uni<Map<TopicPartition, OffsetAndMetadata>> commitRefused() {
            Map<TopicPartition, OffsetAndMetadata> offsets = refused();
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
                return offsets;
            });
        }

        private synchronized Map<TopicPartition, OffsetAndMetadata> refused() {
            return new HashMap<>(refused);
        }

        private synchronized void done(Map<TopicPartition, OffsetAndMetadata> offsets) {
            refused.entrySet().removeAll(offsets.entrySet());
            committing = false;
            again(Map.of());
        }

        private synchronized void failed(Throwable failure) {
            LOG.warnf("What is counted stays uncommitted and is delivered again: %s %s", refused, failure);
            refused.clear();
            committing = false;
        }
    }
}
