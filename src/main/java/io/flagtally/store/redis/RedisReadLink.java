package io.flagtally.store.redis;

import io.flagtally.platform.Availability;
import io.flagtally.platform.Availability.Work;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.platform.error.UnavailableException;
import io.flagtally.platform.redis.RedisPlace;
import io.smallrye.mutiny.TimeoutException;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.core.Vertx;
import io.vertx.mutiny.redis.client.Command;
import io.vertx.mutiny.redis.client.Redis;
import io.vertx.mutiny.redis.client.RedisConnection;
import io.vertx.mutiny.redis.client.Request;
import io.vertx.mutiny.redis.client.Response;
import io.vertx.redis.client.RedisOptions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The connection that counts are read through: one, shared by all reads, apart from the one that writes. Safe for use
 * by several threads.
 *
 * <p>Every call is one round trip and bounded by a timeout. After a failure of the connection it is closed with its
 * client, since a reply may still be on its way, and the next call opens a new one. {@link Availability} follows:
 * {@code SERVE} is lost with the first failure and regained when a later call or the link's own probe comes through.
 */
public final class RedisReadLink implements AutoCloseable {

    /** The availability entry of the connection. */
    static final String REDIS = "redis";

    /** Most commands that wait for their replies; more are refused. */
    static final int COMMANDS_IN_FLIGHT_MAX = 65_536;

    /** Error replies that speak of one key; a batch gives each after its place: {@code ERR [3] WRONGTYPE …}. */
    private static final Pattern OF_A_KEY = Pattern.compile("(^|] )(WRONGTYPE|INVALIDOBJ)\\b");

    private static final Logger LOG = Logger.getLogger(RedisReadLink.class);
    private static final Duration PROBE_WHILE_LOST = Duration.ofSeconds(1);
    private static final Duration PROBE_WHILE_WELL = Duration.ofSeconds(5);

    /** One attempt to have a connection, with the client that must be closed to be rid of it. */
    private record Attempt(Redis client, Uni<RedisConnection> connection) {}

    private final Vertx vertx;
    private final RedisOptions options;
    private final String address;
    private final boolean cluster;
    private final Duration timeout;
    private final Availability availability;
    private final AtomicInteger inFlight = new AtomicInteger();
    private volatile Runnable onLost = () -> {};

    private @Nullable Attempt current;
    private long probe = -1;
    private boolean closed;

    /** @param timeout how long a call may take, opening the connection included */
    public RedisReadLink(Vertx vertx, RedisPlace place, Duration timeout, Availability availability) {
        this.vertx = vertx;
        this.cluster = place.cluster();
        this.timeout = timeout;
        this.availability = availability;
        address = place.address();
        options = place.options("flagtally-reads", COMMANDS_IN_FLIGHT_MAX, timeout);
        availability.lost(Work.SERVE, REDIS, "Redis at " + address + " has not been reached yet.");
    }

    /** Sets what happens when a connection is given up: what was learned over it may not hold any more. */
    void onLost(Runnable action) {
        onLost = action;
    }

    /** Begins to look after the connection: opens it, and tells {@link Availability} how it is. */
    public void open() {
        probe();
    }

    /** Whether keys of several flags may lie in several slots, so that no command may name them together. */
    boolean cluster() {
        return cluster;
    }

    /**
     * Sends {@code requests} at once and gives their replies in order, null for what is not there. Fails with {@link
     * UnavailableException} when Redis is away or silent, with {@link RefusedException} when too much is in flight or a
     * key does not hold what it should.
     */
    Uni<List<Response>> send(List<Request> requests) {
        return send(requests, false);
    }

    /**
     * As {@link #send}, for commands that a server may forbid: its refusal of one fails with {@link UnavailableException}
     * and says nothing of the connection.
     */
    Uni<List<Response>> sendIfAllowed(List<Request> requests) {
        return send(requests, true);
    }

    private Uni<List<Response>> send(List<Request> requests, boolean mayBeForbidden) {
        if (requests.isEmpty()) {
            return Uni.createFrom().item(List.of());
        }
        return Uni.createFrom().deferred(() -> {
            Attempt attempt = attempt();
            if (inFlight.addAndGet(requests.size()) > COMMANDS_IN_FLIGHT_MAX) {
                inFlight.addAndGet(-requests.size());
                return Uni.createFrom()
                        .failure(new RefusedException(
                                ErrorCode.RESOURCE_EXHAUSTED, "Too many reads are under way; try again in a second."));
            }
            return attempt.connection
                    .chain(connection -> sendAll(connection, requests))
                    .ifNoItem()
                    .after(timeout)
                    .fail()
                    .onItem()
                    .invoke(replies -> works())
                    .onFailure()
                    .transform(failure -> mayBeForbidden && failure instanceof io.vertx.redis.client.Response
                            ? new UnavailableException(
                                    "Redis at " + address + " refuses to tell: " + failure.getMessage() + ".", null)
                            : told(attempt, failure))
                    .onTermination()
                    .invoke(() -> inFlight.addAndGet(-requests.size()));
        });
    }

    @Override
    public void close() {
        Attempt last;
        synchronized (this) {
            closed = true;
            last = current;
            current = null;
            boolean unused = vertx.cancelTimer(probe);
        }
        if (last != null) {
            last.client.close();
        }
    }

    private Uni<List<Response>> sendAll(RedisConnection connection, List<Request> requests) {
        return cluster
                ? Uni.join()
                        .all(requests.stream().map(connection::send).toList())
                        .andFailFast()
                : connection.batch(requests);
    }

    private synchronized Attempt attempt() {
        if (closed) {
            throw new UnavailableException("The connection to Redis at " + address + " was closed.", null);
        }
        if (current == null) {
            Redis client = Redis.createClient(vertx, options);
            current = new Attempt(client, client.connect().memoize().indefinitely());
        }
        return current;
    }

    private Throwable told(Attempt attempt, Throwable failure) {
        if (failure instanceof UnavailableException || failure instanceof RefusedException) {
            return failure;
        }
        if (isOfAKey(failure)) {
            return new RefusedException(
                    ErrorCode.COUNTER_UNUSABLE,
                    "A key in Redis does not hold what it should: " + failure.getMessage() + ".");
        }
        synchronized (this) {
            if (current == attempt) {
                current = null;
            }
        }
        attempt.client.close();
        onLost.run();
        String what = failure instanceof TimeoutException
                ? "did not answer within " + timeout.toMillis() + " ms."
                : "cannot be read: " + failure.getMessage() + ".";
        UnavailableException told = new UnavailableException("Redis at " + address + " " + what, failure);
        lost(told);
        return told;
    }

    private static boolean isOfAKey(Throwable failure) {
        return OF_A_KEY.matcher(String.valueOf(failure.getMessage())).find();
    }

    private void lost(UnavailableException told) {
        if (!availability.missing(Work.SERVE).containsKey(REDIS)) {
            LOG.warn(told.getMessage());
            probeAfter(PROBE_WHILE_LOST);
        }
        availability.lost(Work.SERVE, REDIS, String.valueOf(told.getMessage()));
    }

    private void works() {
        if (availability.missing(Work.SERVE).containsKey(REDIS)) {
            availability.regained(Work.SERVE, REDIS);
            LOG.infof("Redis at %s can be read", address);
        }
    }

    private synchronized void probeAfter(Duration delay) {
        boolean unused = vertx.cancelTimer(probe);
        if (!closed) {
            probe = vertx.setTimer(delay.toMillis(), timer -> probe());
        }
    }

    private void probe() {
        var unused = send(List.of(Request.cmd(Command.PING)))
                .subscribe()
                .with(replies -> probeAfter(PROBE_WHILE_WELL), failure -> probeAfter(PROBE_WHILE_LOST));
    }
}
