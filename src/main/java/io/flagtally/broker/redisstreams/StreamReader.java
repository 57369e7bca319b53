package io.flagtally.broker.redisstreams;

import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.core.Vertx;
import io.vertx.mutiny.redis.client.Command;
import io.vertx.mutiny.redis.client.Request;
import io.vertx.mutiny.redis.client.Response;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.eclipse.microprofile.reactive.messaging.Metadata;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Reads one stream as one consumer of a group. Safe for use by several threads.
 *
 * <p>It reads on a connection that may wait for messages, one read after the other, while there is room. After each new
 * connection it first reads what was delivered to it before, since the reply may have been lost on the way. On another
 * connection it acknowledges, says which entries it works on, and claims the entries of consumers that have fallen silent.
 */
final class StreamReader {

    /** A stream, a group of its consumers, and one of them. */
    record Membership(String stream, String group, String consumer) {}

    private static final Logger LOG = Logger.getLogger(StreamReader.class);
    private static final Duration BLOCK = Duration.ofSeconds(1);
    private static final Duration CARE_EVERY_MAX = Duration.ofSeconds(1);
    private static final Duration PAUSE_AFTER_FAILURE = Duration.ofMillis(300);
    private static final String FROM_THE_BEGINNING = "0-0";
    private static final String NEW_ONES = ">";

    private final Vertx vertx;
    private final StreamLink reading;
    private final StreamLink acknowledging;
    private final Membership membership;
    private final RedisStreamsConfig config;
    private final StreamConsumer consumer;
    private final StreamAcks acks;

    private final Set<String> workedOn = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean busy = new AtomicBoolean();
    private volatile String from = FROM_THE_BEGINNING;
    private volatile String claimFrom = FROM_THE_BEGINNING;
    private volatile long waiting = -1;
    private volatile boolean stopped;
    private boolean hadGroup;

    StreamReader(
            Vertx vertx,
            StreamLink reading,
            StreamLink acknowledging,
            Membership membership,
            RedisStreamsConfig config,
            StreamConsumer consumer) {
        this.vertx = vertx;
        this.reading = reading;
        this.acknowledging = acknowledging;
        this.membership = membership;
        this.config = config;
        this.consumer = consumer;
        acks = new StreamAcks(vertx, acknowledging, membership);
        reading.onConnected(this::connected);
    }

    void start() {
        wake();
        careLater();
    }

    /** Reads on if it has stopped for want of room. */
    void wake() {
        if (!stopped && busy.compareAndSet(false, true)) {
            read();
        }
    }

    void stop() {
        stopped = true;
    }

    /** Entries that the group has not acknowledged, as of the last look; -1 before there was one. */
    long waiting() {
        return waiting;
    }

    /** Done when acknowledgements on their way have arrived and others may have what is undone. */
    Uni<Void> leave() {
        return acks.done()
                .chain(() -> acknowledging.use(channel -> StreamLink.send(
                        channel,
                        StreamScript.LEAVE.on(
                                membership.stream,
                                membership.group,
                                membership.consumer,
                                config.claimIdle().toMillis() + 1))))
                .replaceWithVoid();
    }

    /** Closes the connections. */
    void close() {
        reading.close();
        acknowledging.close();
    }

    private void read() {
        if (stopped || !consumer.hasRoom()) {
            busy.set(false);
            if (!stopped && consumer.hasRoom()) {
                wake();
            }
            return;
        }
        reading.use(BLOCK, channel -> channel.send(request()))
                .subscribe()
                .with(this::took, failure -> failed("read", failure, this::read));
    }

    private Request request() {
        Request request = Request.cmd(Command.XREADGROUP)
                .arg("GROUP")
                .arg(membership.group)
                .arg(membership.consumer)
                .arg("COUNT")
                .arg(config.fetchMax());
        if (from.equals(NEW_ONES)) {
            request.arg("BLOCK").arg(BLOCK.toMillis());
        }
        return request.arg("STREAMS").arg(membership.stream).arg(from);
    }

    private void connected(boolean otherServer) {
        from = FROM_THE_BEGINNING;
        if (otherServer) {
            // Its entries are others, though they may have the same ids.
            workedOn.clear();
        }
    }

    private void took(@Nullable Response reply) {
        List<Response> entries = reply == null ? List.of() : entriesOf(reply);
        boolean again = !from.equals(NEW_ONES);
        for (Response entry : entries) {
            if (again) {
                from = entry.get(0).toString();
            }
            take(entry, again);
        }
        if (again && entries.isEmpty()) {
            from = NEW_ONES;
        }
        read();
    }

    /** A map from streams to entries, or a list of pairs where the server speaks the older protocol. */
    private List<Response> entriesOf(Response reply) {
        Response entries = reply.getDelegate().isMap()
                ? reply.get(membership.stream)
                : reply.get(0).get(1);
        return listOf(entries);
    }

    private static List<Response> listOf(Response entries) {
        List<Response> list = new ArrayList<>(entries.size());
        for (int i = 0; i < entries.size(); i++) {
            list.add(entries.get(i));
        }
        return list;
    }

    private void take(Response entry, boolean redelivered) {
        String id = entry.get(0).toString();
        Response fields = entry.get(1);
        if (fields == null) {
            LOG.warnf("Entry %s of the stream %s was deleted by somebody before it was read", id, membership.stream);
            acks.add(id);
            return;
        }
        if (!workedOn.add(id)) {
            return;
        }
        byte[] payload = {};
        Map<String, String> headers = new HashMap<>();
        for (int i = 0; i + 1 < fields.size(); i += 2) {
            String name = fields.get(i).toString();
            if (name.equals(StreamPublisher.PAYLOAD)) {
                payload = fields.get(i + 1).toBytes();
            } else {
                headers.put(name, fields.get(i + 1).toString(StandardCharsets.UTF_8));
            }
        }
        consumer.deliver(Message.of(
                payload,
                Metadata.of(new StreamEntry(membership.stream, id, headers, redelivered)),
                () -> acknowledge(id),
                reason -> refuse(id)));
    }

    private CompletionStage<Void> acknowledge(String id) {
        return acks.add(id)
                .invoke(() -> {
                    workedOn.remove(id);
                    consumer.settled();
                })
                .subscribeAsCompletionStage();
    }

    /** Left alone, it is claimed when it has been idle for long enough. */
    private CompletionStage<Void> refuse(String id) {
        workedOn.remove(id);
        consumer.settled();
        return Uni.createFrom().voidItem().subscribeAsCompletionStage();
    }

    private void careLater() {
        if (!stopped) {
            Duration quarter = config.claimIdle().dividedBy(4);
            Duration pause = quarter.compareTo(CARE_EVERY_MAX) < 0 ? quarter : CARE_EVERY_MAX;
            long unused = vertx.setTimer(Math.max(1, pause.toMillis()), timer -> care());
        }
    }

    private void care() {
        List<Object> arguments = new ArrayList<>(List.of(
                membership.group, membership.consumer, config.consumerForget().toMillis()));
        arguments.addAll(workedOn);
        acknowledging
                .use(channel -> StreamLink.send(channel, StreamScript.CARE.on(membership.stream, arguments.toArray())))
                .invoke(reply -> waiting = reply.get(2).toLong())
                .chain(this::claim)
                .subscribe()
                .with(done -> careLater(), failure -> failed("look after", failure, this::careLater));
    }

    private Uni<Void> claim() {
        if (stopped || !consumer.hasRoom()) {
            return Uni.createFrom().voidItem();
        }
        return acknowledging
                .use(channel -> channel.send(Request.cmd(Command.XAUTOCLAIM)
                        .arg(membership.stream)
                        .arg(membership.group)
                        .arg(membership.consumer)
                        .arg(config.claimIdle().toMillis())
                        .arg(claimFrom)
                        .arg("COUNT")
                        .arg(config.fetchMax())))
                .chain(reply -> {
                    claimFrom = reply.get(0).toString();
                    List<Response> entries = listOf(reply.get(1));
                    for (Response entry : entries) {
                        if (entry == null) {
                            // Deleted by somebody; reading again from the beginning tells its id.
                            from = FROM_THE_BEGINNING;
                        } else {
                            take(entry, true);
                        }
                    }
                    return entries.isEmpty() || claimFrom.equals(FROM_THE_BEGINNING)
                            ? Uni.createFrom().voidItem()
                            : claim();
                });
    }

    private void failed(String what, Throwable failure, Runnable then) {
        if (stopped) {
            return;
        }
        if (StreamLink.isNoGroup(failure)) {
            makeGroup(then);
            return;
        }
        if (StreamLink.isOfTheCommand(failure)) {
            LOG.warnf("Cannot %s the stream %s: %s", what, membership.stream, StreamLink.text(failure));
        }
        long unused = vertx.setTimer(PAUSE_AFTER_FAILURE.toMillis(), timer -> then.run());
    }

    private void makeGroup(Runnable then) {
        acknowledging
                .use(channel -> StreamLink.send(channel, StreamScript.GROUP.on(membership.stream, membership.group)))
                .subscribe()
                .with(
                        made -> {
                            from = FROM_THE_BEGINNING;
                            tellOfLoss(made.toLong() == 1);
                            then.run();
                        },
                        failure -> failed("make a group of", failure, then));
    }

    private synchronized void tellOfLoss(boolean made) {
        if (made && hadGroup) {
            LOG.errorf(
                    "The group %s of the stream %s was gone and was made anew: Redis lost its data or another one took its"
                            + " place, and with it may be gone what waited there",
                    membership.group, membership.stream);
            workedOn.clear();
        }
        hadGroup = true;
    }
}
