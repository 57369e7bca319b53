package io.flagtally.broker.redisstreams;

import io.flagtally.platform.error.UnavailableException;
import io.flagtally.platform.redis.RedisChannel;
import io.flagtally.platform.redis.RedisDurability;
import io.flagtally.platform.redis.RedisScript.Call;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.redis.client.Response;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow.Subscriber;
import java.util.concurrent.Flow.Subscription;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The outgoing side: adds messages to streams and acknowledges each when Redis has it, as durably as is configured. A
 * message that a full stream refuses, or whose fate is unknown, is refused to its sender.
 *
 * <p>While messages are on their way the next ones gather, and then go in one pipeline; so messages of one stream keep
 * their order. What it holds is bounded by what it asks for.
 */
final class StreamPublisher implements Subscriber<Message<?>>, AutoCloseable {

    /** The field of an entry that holds the payload; every other one is a header. */
    static final String PAYLOAD = "payload";

    /** Messages of one pipeline. */
    private static final int PIPELINE_MESSAGES_MAX = 256;

    /** Bytes of one pipeline; one message more may go with it. */
    private static final int PIPELINE_BYTES_MAX = 4 * 1024 * 1024;

    private static final Logger LOG = Logger.getLogger(StreamPublisher.class);

    /**
     * What a full stream does.
     *
     * @param lengthMax entries at which it is full
     * @param dropOldest true to let the oldest entry go, false to refuse the new one
     */
    record Bound(int lengthMax, boolean dropOldest) {}

    private record Sending(Message<?> message, String stream, Call call, int bytes) {}

    private final StreamLink link;
    private final StreamKeys keys;
    private final Bound bound;
    private final RedisDurability durability;
    private final int sendingMax;
    private final Object lock = new Object();
    private final Queue<Sending> waiting = new ArrayDeque<>();
    private @Nullable Subscription subscription;
    private boolean busy;

    StreamPublisher(StreamLink link, StreamKeys keys, Bound bound, RedisDurability durability, int sendingMax) {
        this.link = link;
        this.keys = keys;
        this.bound = bound;
        this.durability = durability;
        this.sendingMax = sendingMax;
    }

    @Override
    public void onSubscribe(Subscription subscription) {
        synchronized (lock) {
            this.subscription = subscription;
        }
        subscription.request(sendingMax);
    }

    @Override
    public void onNext(Message<?> message) {
        synchronized (lock) {
            waiting.add(sending(message));
        }
        sendNext();
    }

    @Override
    public void onError(Throwable failure) {
        LOG.error("The channel to Redis Streams ended with a failure", failure);
    }

    @Override
    public void onComplete() {
        LOG.debug("The channel to Redis Streams has ended");
    }

    @Override
    public void close() {
        link.close();
    }

    private Sending sending(Message<?> message) {
        StreamAddress address = message.getMetadata(StreamAddress.class)
                .orElseThrow(() -> new IllegalStateException("a message without StreamAddress was sent"));
        byte[] payload = (byte[]) message.getPayload();
        List<byte[]> arguments = new ArrayList<>();
        arguments.add(utf8(Integer.toString(bound.lengthMax)));
        arguments.add(utf8(bound.dropOldest ? "drop-oldest" : "refuse"));
        arguments.add(utf8(PAYLOAD));
        arguments.add(payload);
        for (Map.Entry<String, String> header : address.headers().entrySet()) {
            arguments.add(utf8(header.getKey()));
            arguments.add(utf8(header.getValue()));
        }
        String stream = keys.of(address.key());
        return new Sending(message, stream, StreamScript.ADD.on(stream, arguments), payload.length);
    }

    private void sendNext() {
        List<Sending> pipeline = new ArrayList<>();
        synchronized (lock) {
            if (busy || waiting.isEmpty()) {
                return;
            }
            busy = true;
            int bytes = 0;
            while (!waiting.isEmpty() && pipeline.size() < PIPELINE_MESSAGES_MAX && bytes < PIPELINE_BYTES_MAX) {
                Sending next = waiting.remove();
                bytes += next.bytes;
                pipeline.add(next);
            }
        }
        link.use(channel -> sendAll(channel, pipeline))
                .onFailure()
                .recoverWithItem(failure -> pipeline.stream()
                        .map(sending -> Optional.<Throwable>of(failure))
                        .toList())
                .subscribe()
                .with(outcomes -> settle(pipeline, outcomes));
    }

    /** Gives why each message was not added; empty for one that was. */
    private Uni<List<Optional<Throwable>>> sendAll(RedisChannel channel, List<Sending> pipeline) {
        List<Uni<Optional<Throwable>>> added =
                pipeline.stream().map(sending -> add(channel, sending)).toList();
        Uni<List<Optional<Throwable>>> all = Uni.join().all(added).andFailFast();
        return durability.confirmations().isEmpty() ? all : all.call(outcomes -> confirmed(channel));
    }

    private Uni<Optional<Throwable>> add(RedisChannel channel, Sending sending) {
        return StreamLink.send(channel, sending.call)
                .map(id -> id == null ? Optional.of(full(sending.stream)) : Optional.<Throwable>empty())
                .onFailure(StreamLink::isOfTheCommand)
                .recoverWithItem(Optional::of);
    }

    private Uni<List<Response>> confirmed(RedisChannel channel) {
        return channel.sendToMasters(durability.confirmations().get(0))
                .invoke(answers ->
                        answers.forEach(answer -> durability.unmet(answer).ifPresent(sentence -> {
                            throw new UnavailableException(sentence, null);
                        })));
    }

    private Throwable full(String stream) {
        return new UnavailableException(
                "the stream " + stream + " is full: its " + bound.lengthMax + " messages wait to be consumed", null);
    }

    private void settle(List<Sending> pipeline, List<Optional<Throwable>> outcomes) {
        for (int i = 0; i < pipeline.size(); i++) {
            Message<?> message = pipeline.get(i).message;
            Optional<Throwable> failure = outcomes.get(i);
            CompletionStage<Void> told = failure.isPresent() ? message.nack(failure.get()) : message.ack();
            Uni.createFrom().completionStage(told).subscribe().with(done -> {}, f -> LOG.warnf("Not told: %s", f));
        }
        Subscription from;
        synchronized (lock) {
            busy = false;
            from = subscription;
        }
        sendNext();
        if (from != null) {
            from.request(pipeline.size());
        }
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
