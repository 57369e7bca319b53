package io.flagtally.broker.redisstreams;

import io.flagtally.platform.redis.RedisChannel;
import io.flagtally.platform.redis.RedisFailure;
import io.flagtally.platform.redis.RedisPlace;
import io.flagtally.platform.redis.RedisScript;
import io.flagtally.platform.redis.ServerInfo;
import io.smallrye.mutiny.TimeoutException;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.core.Vertx;
import io.vertx.mutiny.redis.client.Command;
import io.vertx.mutiny.redis.client.Redis;
import io.vertx.mutiny.redis.client.Request;
import io.vertx.mutiny.redis.client.Response;
import io.vertx.redis.client.RedisOptions;
import java.time.Duration;
import java.util.function.Function;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * A connection to the Redis of the streams, opened when it is needed. Every use is bounded by a timeout; after a failure
 * that may be the connection's it is closed with its client, and the next use opens a new one. Safe for use by several
 * threads.
 */
final class StreamLink implements AutoCloseable {

    private static final Logger LOG = Logger.getLogger(StreamLink.class);
    private static final int COMMANDS_IN_FLIGHT_MAX = 8_192;

    /** Is told of new connections. */
    interface Listener {

        /** @param otherServer true if it leads to another server than the one before, or to one started again */
        void connected(boolean otherServer);
    }

    /** A connection, and which server it leads to. */
    private record Contact(RedisChannel channel, String identity) {}

    private record Attempt(Redis client, Uni<Contact> contact) {}

    private final Vertx vertx;
    private final RedisPlace place;
    private final RedisOptions options;
    private final Duration timeout;
    private final String purpose;
    private volatile Listener listener = otherServer -> {};

    private @Nullable Attempt current;
    private @Nullable String identity;
    private volatile @Nullable String trouble;
    private boolean closed;

    /**
     * @param purpose what it is for, in the names of pools and in the log
     * @param timeout how long a use may take, opening the connection included
     */
    StreamLink(Vertx vertx, RedisPlace place, String purpose, Duration timeout) {
        this.vertx = vertx;
        this.place = place;
        this.purpose = purpose;
        this.timeout = timeout;
        options = place.options("flagtally-streams-" + purpose, COMMANDS_IN_FLIGHT_MAX, timeout);
    }

    /** Sets who is told of each new connection before it is used. */
    void onConnected(Listener told) {
        listener = told;
    }

    <T> Uni<T> use(Function<RedisChannel, Uni<T>> work) {
        return use(Duration.ZERO, work);
    }

    /** Runs {@code work} on the connection. {@code longer} is added to the timeout. */
    <T> Uni<T> use(Duration longer, Function<RedisChannel, Uni<T>> work) {
        return Uni.createFrom().deferred(() -> {
            Attempt attempt = attempt();
            return attempt.contact
                    .chain(contact -> work.apply(contact.channel))
                    .ifNoItem()
                    .after(timeout.plus(longer))
                    .fail()
                    .onItem()
                    .invoke(this::works)
                    .onFailure(failure -> !isOfTheCommand(failure))
                    .invoke(failure -> broken(attempt, failure));
        });
    }

    /** Sends the call of a script, with its text if the server does not know it. */
    static Uni<Response> send(RedisChannel channel, RedisScript.Call call) {
        return channel.send(call.byHash())
                .onFailure(RedisFailure::isNoScript)
                .recoverWithUni(() -> channel.send(call.byText()));
    }

    /** Whether a group, or its stream, is not there (any more). */
    static boolean isNoGroup(Throwable failure) {
        return text(failure).contains("NOGROUP") || text(failure).contains("UNBLOCKED");
    }

    /** Whether it is an error reply that speaks of the command; the connection is well. */
    static boolean isOfTheCommand(Throwable failure) {
        return !RedisFailure.isOfTheServer(failure) || RedisFailure.isNoScript(failure) || isNoGroup(failure);
    }

    static String text(Throwable failure) {
        return RedisFailure.text(failure);
    }

    @Override
    public void close() {
        Attempt last;
        synchronized (this) {
            closed = true;
            last = current;
            current = null;
        }
        if (last != null) {
            last.client.close();
        }
    }

    private synchronized Attempt attempt() {
        if (closed) {
            throw new IllegalStateException("the connection to Redis at " + place.address() + " was closed");
        }
        if (current == null) {
            Redis client = Redis.createClient(vertx, options);
            current = new Attempt(client, connect(client).memoize().indefinitely());
        }
        return current;
    }

    private Uni<Contact> connect(Redis client) {
        return client.connect()
                .map(connection -> RedisChannel.over(connection, place.cluster()))
                .chain(channel -> channel.send(Request.cmd(Command.INFO))
                        .map(info -> new Contact(
                                channel, ServerInfo.of(info.toString()).identity())))
                .invoke(contact -> met(contact.identity));
    }

    private void met(String server) {
        boolean another;
        synchronized (this) {
            another = identity != null && !place.cluster() && !identity.equals(server);
            identity = server;
        }
        listener.connected(another);
    }

    private void broken(Attempt attempt, Throwable failure) {
        synchronized (this) {
            if (current == attempt) {
                current = null;
            }
            if (closed) {
                return;
            }
        }
        attempt.client.close();
        String sentence = failure instanceof TimeoutException
                ? "Redis at " + place.address() + ", the broker, did not answer within " + timeout.toMillis() + " ms"
                : "Redis at " + place.address() + ", the broker, is not usable: " + text(failure);
        if (trouble == null) {
            LOG.warnf("%s (%s)", sentence, purpose);
        }
        trouble = sentence;
    }

    private void works() {
        if (trouble != null) {
            trouble = null;
            LOG.infof("Redis at %s, the broker, can be used again (%s)", place.address(), purpose);
        }
    }
}
