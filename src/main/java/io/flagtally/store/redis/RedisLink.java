package io.flagtally.store.redis;

import io.flagtally.pipeline.StoreUnavailableException;
import io.flagtally.platform.Availability;
import io.flagtally.platform.Availability.Work;
import io.smallrye.mutiny.TimeoutException;
import io.smallrye.mutiny.Uni;
import io.vertx.core.net.NetClientOptions;
import io.vertx.mutiny.core.Vertx;
import io.vertx.mutiny.redis.client.Redis;
import io.vertx.mutiny.redis.client.RedisConnection;
import io.vertx.mutiny.redis.client.Request;
import io.vertx.mutiny.redis.client.Response;
import io.vertx.redis.client.RedisClientType;
import io.vertx.redis.client.RedisOptions;
import java.time.Duration;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The connection that counts are written through: one, shared by all writes, opened when it is needed. Safe for use
 * by several threads.
 *
 * <p>Every use is bounded by a timeout. After any failure of the connection it is closed, since nobody knows what
 * became of the commands on it, and the next use opens a new one. A new connection is verified
 * ({@link RedisInstallation}) before its first use. {@link Availability} follows: {@code ACCEPT} is lost with the first
 * failure and regained when a later use or the link's own probe (each second while lost) comes through.
 *
 * <p>Implementation note. Each connection has a client of its own: a pooled connection that is given back while it
 * waits for replies would be handed out again, and only closing its client closes its socket.
 */
public final class RedisLink implements AutoCloseable {

    /** The availability entry of the connection. */
    static final String REDIS = "redis";

    /** Most commands that wait for their replies on the connection. */
    static final int COMMANDS_IN_FLIGHT_MAX = 65_536;

    private static final Logger LOG = Logger.getLogger(RedisLink.class);
    private static final Pattern URL = Pattern.compile("(rediss?|unix)://\\S+");
    private static final Duration PROBE_WHILE_LOST = Duration.ofSeconds(1);
    private static final Duration PROBE_WHILE_WELL = Duration.ofSeconds(5);

    /** A connection that was verified. */
    private record Contact(RedisConnection connection, IdHash hash) {}

    /** What a use of the connection gets: a way to send, and the installation's hash of ids. */
    record Session(Function<Request, Uni<Response>> send, IdHash hash) {}

    /**
     * What became of one command.
     *
     * @param response null if it failed, or if the reply was null
     * @param failure an error reply that speaks of the command, not of the server
     */
    record Reply(@Nullable Response response, @Nullable Throwable failure) {}

    /** One attempt to have a connection, with the client that must be closed to be rid of it. */
    private static final class Attempt {
        final Redis client;
        final Uni<Contact> contact;

        Attempt(Redis client, Function<Redis, Uni<Contact>> open) {
            this.client = client;
            this.contact = open.apply(client).memoize().indefinitely();
        }
    }

    private final Vertx vertx;
    private final RedisOptions options;
    private final String address;
    private final Duration timeout;
    private final RedisInstallation installation;
    private final Availability availability;
    private volatile Consumer<ForeignInstallationException> onForeign = foreign -> {};

    private @Nullable Attempt current;
    private long probe = -1;
    private boolean well;
    private boolean told;
    private boolean closed;

    /**
     * @param url where Redis is, with user and password if it wants them
     * @param cluster whether it is a Redis Cluster
     * @param timeout how long a use may take, opening the connection included
     */
    public RedisLink(
            Vertx vertx, String url, boolean cluster, Duration timeout, ZoneId zone, Availability availability) {
        this.vertx = vertx;
        this.timeout = timeout;
        this.availability = availability;
        if (!URL.matcher(url).matches()) {
            throw new IllegalArgumentException("flagtally.redis.url does not look like redis://host:port");
        }
        address = url.replaceFirst("//[^@/]*@", "//");
        installation = new RedisInstallation(zone, availability);
        options = new RedisOptions()
                .setType(cluster ? RedisClientType.CLUSTER : RedisClientType.STANDALONE)
                .setConnectionString(url)
                .setPoolName("flagtally-counts")
                .setMaxPoolSize(cluster ? 16 : 1)
                .setMaxWaitingHandlers(COMMANDS_IN_FLIGHT_MAX)
                .setNetClientOptions(
                        new NetClientOptions().setTcpNoDelay(true).setConnectTimeout((int) timeout.toMillis()));
        availability.lost(Work.ACCEPT, REDIS, "Redis at " + address + " has not been reached yet");
    }

    /** Sets what happens when the Redis turns out to belong to another installation; that never mends itself. */
    void onForeign(Consumer<ForeignInstallationException> action) {
        onForeign = action;
    }

    /** Begins to look after the connection: opens it, and keeps trying. */
    Uni<Void> open() {
        return use(session -> Uni.createFrom().voidItem());
    }

    /**
     * Runs {@code work} on the connection. Fails with {@link StoreUnavailableException} when Redis is away, does not
     * answer in time, or says that it cannot do such work now; otherwise as {@code work} does.
     */
    <T> Uni<T> use(Function<Session, Uni<T>> work) {
        return Uni.createFrom().deferred(() -> {
            Attempt attempt = attempt();
            return attempt.contact
                    .chain(contact -> work.apply(new Session(contact.connection::send, contact.hash)))
                    .ifNoItem()
                    .after(timeout)
                    .fail()
                    .onItem()
                    .invoke(this::works)
                    .onFailure(failure -> failure instanceof TimeoutException || RedisFailure.isOfTheServer(failure))
                    .transform(failure -> broken(attempt, failure));
        });
    }

    /**
     * Sends all {@code requests} at once and gives what became of each, in their order. Fails when an error speaks of
     * the server.
     */
    static Uni<List<Reply>> sendAll(Session session, List<Request> requests) {
        if (requests.isEmpty()) {
            return Uni.createFrom().item(List.of());
        }
        List<Uni<Reply>> sent = new ArrayList<>(requests.size());
        for (Request request : requests) {
            sent.add(session.send
                    .apply(request)
                    .map(response -> new Reply(response, null))
                    .onFailure(failure -> RedisFailure.isNoScript(failure) || !RedisFailure.isOfTheServer(failure))
                    .recoverWithItem(failure -> new Reply(null, failure)));
        }
        return Uni.join().all(sent).andFailFast();
    }

    String address() {
        return address;
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

    private synchronized Attempt attempt() {
        if (closed) {
            throw new StoreUnavailableException("the connection to Redis at " + address + " was closed", null);
        }
        if (current == null) {
            current = new Attempt(Redis.createClient(vertx, options), this::connect);
            if (probe < 0) {
                probeAfter(PROBE_WHILE_LOST);
            }
        }
        return current;
    }

    private Uni<Contact> connect(Redis client) {
        return client.connect()
                .chain(connection -> installation.verify(connection::send).map(hash -> new Contact(connection, hash)));
    }

    private StoreUnavailableException broken(Attempt attempt, Throwable failure) {
        synchronized (this) {
            if (current == attempt) {
                current = null;
            }
        }
        attempt.client.close();
        StoreUnavailableException away = failure instanceof TimeoutException
                ? RedisFailure.silent(address, timeout)
                : RedisFailure.unavailable(address, failure);
        lost(String.valueOf(away.getMessage()));
        if (failure instanceof ForeignInstallationException foreign) {
            onForeign.accept(foreign);
        }
        return away;
    }

    private synchronized void lost(String sentence) {
        availability.lost(Work.ACCEPT, REDIS, sentence);
        if (well || !told) {
            LOG.warn(sentence);
        } else {
            LOG.debug(sentence);
        }
        told = true;
        if (well) {
            well = false;
            probeAfter(PROBE_WHILE_LOST);
        }
    }

    private synchronized void works() {
        if (!well) {
            well = true;
            availability.regained(Work.ACCEPT, REDIS);
            LOG.infof("Redis at %s can be written to", address);
        }
    }

    private synchronized void probeAfter(Duration delay) {
        boolean unused = vertx.cancelTimer(probe);
        if (!closed) {
            probe = vertx.setTimer(delay.toMillis(), timer -> probe());
        }
    }

    private void probe() {
        use(session -> installation.verify(session.send))
                .subscribe()
                .with(
                        hash -> probeAfter(needsCare() ? PROBE_WHILE_LOST : PROBE_WHILE_WELL),
                        failure -> probeAfter(PROBE_WHILE_LOST));
    }

    private boolean needsCare() {
        return availability.missing(Work.ACCEPT).containsKey(RedisInstallation.EVICTION);
    }
}
