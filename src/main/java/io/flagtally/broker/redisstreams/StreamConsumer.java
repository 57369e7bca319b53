package io.flagtally.broker.redisstreams;

import io.flagtally.platform.redis.RedisPlace;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.MultiEmitter;
import io.vertx.mutiny.core.Vertx;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The incoming side: one {@link StreamReader} for each stream of a place, which share what a process may hold.
 *
 * <p>Messages are fetched ahead of demand, up to {@link RedisStreamsConfig#fetchMax} of them or
 * {@link RedisStreamsConfig#fetchedBytesMax}; while the consumer asks for none, the rest stays in Redis. Fetched and not
 * acknowledged are at most {@link RedisStreamsConfig#inFlightMax}, each of the two exceeded by at most one fetch of each
 * stream.
 */
final class StreamConsumer implements AutoCloseable {

    private static final Logger LOG = Logger.getLogger(StreamConsumer.class);

    /** How long a stop waits for the last acknowledgements. */
    private static final Duration LEAVE_PATIENCE = Duration.ofSeconds(3);

    private final RedisStreamsConfig config;
    private final List<StreamReader> readers;
    private final AtomicInteger inFlight = new AtomicInteger();
    private final AtomicInteger fetched = new AtomicInteger();
    private final AtomicLong fetchedBytes = new AtomicLong();
    private volatile @Nullable MultiEmitter<? super Message<byte[]>> downstream;

    /** @param consumer the name of this process among the consumers of {@code group} */
    StreamConsumer(
            Vertx vertx,
            RedisPlace place,
            Duration timeout,
            String stream,
            String group,
            String consumer,
            RedisStreamsConfig config) {
        this.config = config;
        readers = Stream.of(new StreamKeys(stream, config.partitions()).all())
                .map(key -> new StreamReader(
                        vertx,
                        new StreamLink(vertx, place, "read", timeout),
                        new StreamLink(vertx, place, "ack", timeout),
                        new StreamReader.Membership(key, group, consumer),
                        config,
                        this))
                .toList();
    }

    /** The messages, to one subscriber; reading begins with it. */
    Multi<Message<byte[]>> messages() {
        return Multi.createFrom()
                .<Message<byte[]>>emitter(emitter -> {
                    downstream = emitter;
                    readers.forEach(StreamReader::start);
                })
                .onItem()
                .invoke(message -> {
                    fetched.decrementAndGet();
                    fetchedBytes.addAndGet(-message.getPayload().length);
                    wake();
                });
    }

    /** Messages that the group has not acknowledged, as of the last look; empty before there was one. */
    OptionalLong lag() {
        return readers.stream().anyMatch(reader -> reader.waiting() < 0)
                ? OptionalLong.empty()
                : OptionalLong.of(
                        readers.stream().mapToLong(StreamReader::waiting).sum());
    }

    boolean hasRoom() {
        return inFlight.get() < config.inFlightMax()
                && fetched.get() < config.fetchMax()
                && fetchedBytes.get() < config.fetchedBytesMax();
    }

    void deliver(Message<byte[]> message) {
        MultiEmitter<? super Message<byte[]>> to = downstream;
        if (to != null) {
            inFlight.incrementAndGet();
            fetched.incrementAndGet();
            fetchedBytes.addAndGet(message.getPayload().length);
            to.emit(message);
        }
    }

    /** A message that was delivered is no longer worked on. */
    void settled() {
        inFlight.decrementAndGet();
        wake();
    }

    /** Stops reading, waits for acknowledgements on their way, and leaves what is undone to others. Blocks. */
    @Override
    public void close() {
        readers.forEach(StreamReader::stop);
        try {
            Object unused = Uni.join()
                    .all(readers.stream().map(StreamReader::leave).toList())
                    .andCollectFailures()
                    .await()
                    .atMost(LEAVE_PATIENCE);
        } catch (RuntimeException e) {
            LOG.debugf("Left streams without a word: %s", e);
        }
        readers.forEach(StreamReader::close);
    }

    private void wake() {
        if (hasRoom()) {
            readers.forEach(StreamReader::wake);
        }
    }
}
