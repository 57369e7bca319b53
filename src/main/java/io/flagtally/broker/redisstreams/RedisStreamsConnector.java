package io.flagtally.broker.redisstreams;

import io.flagtally.platform.redis.RedisConfig;
import io.flagtally.platform.redis.RedisDurability;
import io.flagtally.platform.redis.RedisPlace;
import io.smallrye.reactive.messaging.connector.InboundConnector;
import io.smallrye.reactive.messaging.connector.OutboundConnector;
import io.vertx.mutiny.core.Vertx;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.context.BeforeDestroyed;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.event.Reception;
import jakarta.inject.Inject;
import java.util.List;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Flow.Publisher;
import java.util.concurrent.Flow.Subscriber;
import org.eclipse.microprofile.config.Config;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.eclipse.microprofile.reactive.messaging.spi.Connector;

/**
 * Redis Streams as a broker. A channel names its {@code stream}; an incoming one also its {@code group}, and an outgoing
 * one may say {@code when-full: drop-oldest}, which makes it one stream of at most {@code flagtally.redis-streams
 * .dead-letters-max} entries that refuses nothing.
 */
@ApplicationScoped
@Connector(RedisStreamsConnector.NAME)
public class RedisStreamsConnector implements InboundConnector, OutboundConnector {

    public static final String NAME = "flagtally-redis-streams";

    private static final String STREAM = "stream";
    private static final String GROUP = "group";
    private static final String WHEN_FULL = "when-full";
    private static final String DROP_OLDEST = "drop-oldest";
    private static final int STOP_AFTER_THE_PIPELINE = 50;

    private final Vertx vertx;
    private final RedisStreamsConfig config;
    private final RedisConfig redis;
    private final List<StreamConsumer> consumers = new CopyOnWriteArrayList<>();
    private final List<StreamPublisher> publishers = new CopyOnWriteArrayList<>();

    @Inject
    RedisStreamsConnector(Vertx vertx, RedisStreamsConfig config, RedisConfig redis) {
        this.vertx = vertx;
        this.config = config;
        this.redis = redis;
    }

    @Override
    public Publisher<? extends Message<?>> getPublisher(Config channel) {
        String me = ProcessHandle.current().pid() + "-" + UUID.randomUUID();
        StreamConsumer consumer = new StreamConsumer(
                vertx,
                place(config, redis),
                redis.flushTimeout(),
                channel.getValue(STREAM, String.class),
                channel.getValue(GROUP, String.class),
                me,
                config);
        consumers.add(consumer);
        return consumer.messages();
    }

    @Override
    public Subscriber<? extends Message<?>> getSubscriber(Config channel) {
        boolean dropOldest = channel.getOptionalValue(WHEN_FULL, String.class)
                .map(DROP_OLDEST::equals)
                .orElse(false);
        StreamPublisher publisher = new StreamPublisher(
                new StreamLink(vertx, place(config, redis), "publish", redis.flushTimeout()),
                new StreamKeys(channel.getValue(STREAM, String.class), dropOldest ? 1 : config.partitions()),
                new StreamPublisher.Bound(dropOldest ? config.deadLettersMax() : config.lengthMax(), dropOldest),
                RedisDurability.of(redis),
                config.sendingMax());
        publishers.add(publisher);
        return publisher;
    }

    /** Messages that wait for the group of this process; empty if it consumes nothing, or does not know yet. */
    OptionalLong lag() {
        List<OptionalLong> lags = consumers.stream().map(StreamConsumer::lag).toList();
        return lags.isEmpty() || lags.stream().anyMatch(OptionalLong::isEmpty)
                ? OptionalLong.empty()
                : OptionalLong.of(
                        lags.stream().mapToLong(OptionalLong::getAsLong).sum());
    }

    /** The Redis that holds the streams. */
    static RedisPlace place(RedisStreamsConfig config, RedisConfig redis) {
        return config.url()
                .map(urls ->
                        new RedisPlace(redis.topology(), urls, redis.sentinel().masterName()))
                .orElseGet(() -> RedisPlace.of(redis));
    }

    void end(
            @Observes(notifyObserver = Reception.IF_EXISTS)
                    @Priority(STOP_AFTER_THE_PIPELINE)
                    @BeforeDestroyed(ApplicationScoped.class)
                    Object event) {
        consumers.forEach(StreamConsumer::close);
        publishers.forEach(StreamPublisher::close);
    }
}
