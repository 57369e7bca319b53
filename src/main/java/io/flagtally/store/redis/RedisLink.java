package io.flagtally.store.redis;

import io.flagtally.pipeline.StoreUnavailableException;
import io.flagtally.platform.Availability;
import io.flagtally.platform.Availability.Work;
import io.flagtally.platform.redis.RedisChannel;
import io.flagtally.platform.redis.RedisDurability;
import io.flagtally.platform.redis.RedisFailure;
import io.flagtally.platform.redis.RedisPlace;
import io.flagtally.platform.redis.UnfitRedisException;
import io.micrometer.core.instrument.MeterRegistry;
import io.smallrye.mutiny.TimeoutException;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.core.Vertx;
import io.vertx.mutiny.redis.client.Redis;
import io.vertx.mutiny.redis.client.Request;
import io.vertx.mutiny.redis.client.Response;
import io.vertx.redis.client.RedisOptions;
import java.time.Duration;
import java.time.InstantSource;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
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
    private static final Duration PROBE_WHILE_LOST = Duration.ofSeconds(1);
    private static final Duration PROBE_WHILE_WELL = Duration.ofSeconds(5);

    /** A connection that was verified. */
    private record Contact(RedisChannel channel, IdHash hash) {}

    /**
     * What a use of the connection gets: a way to send, a way to write for good, the installation's hash of ids, and the
     * users that need not be sent.
     */
    record Session(Function<Request, Uni<Response>> send, RedisCommits commits, IdHash hash, RecentUsers recentUsers) {}

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
    private final RedisPlace place;
    private final RedisOptions options;
    private final String address;
    private final Duration timeout;
    private final RedisInstallation installation;
    private final StoreMemory memory;
    private final RedisDurability durability;
    private final Availability availability;
    private volatile Consumer<UnfitRedisException> onUnfit = unfit -> {};

    private @Nullable Attempt current;
    private long probe = -1;
    private boolean well;
    private boolean told;
    private boolean closed;

    /**
     * @param timeout how long a use may take, opening the connection included
     * @param zone the one that counts are cut by
     * @param durability when a flush counts as written
     */
    public RedisLink(
            Vertx vertx,
            RedisPlace place,
            Duration timeout,
            ZoneId zone,
            RedisDurability durability,
            InstantSource clock,
            MeterRegistry meters,
            Availability availability) {
        this.vertx = vertx;
        this.place = place;
        this.timeout = timeout;
        this.durability = durability;
        this.availability = availability;
        address = place.address();
        memory = new StoreMemory(place.cluster(), clock, availability, meters);
        installation = new RedisInstallation(zone, durability, memory, availability);
        options = place.options("flagtally-counts", COMMANDS_IN_FLIGHT_MAX, timeout);
        availability.lost(Work.WRITE, REDIS, "Redis at " + address + " has not been reached yet");
    }

    /** Sets what happens when the Redis turns out to be one that must not be written to; that never mends itself. */
    void onUnfit(Consumer<UnfitRedisException> action) {
        onUnfit = action;
    }

    /** Sets what happens at each doubt about what the store holds. */
    void onDoubt(Runnable action) {
        memory.onDoubt(action);
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
                    .chain(contact -> work.apply(session(contact)))
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
                .chain(connection -> {
                    RedisChannel channel = RedisChannel.over(connection, place.cluster());
                    return installation
                            .verify(channel)
                            .invoke(hash -> memory.recentUsers().forget())
                            .map(hash -> new Contact(channel, hash));
                })
                .onFailure()
                .transform(OwnKeys::waitedFor);
    }

    private Session session(Contact contact) {
        RedisCommits commits = new RedisCommits(contact.channel, place.cluster(), memory, durability);
        return new Session(contact.channel::send, commits, contact.hash, memory.recentUsers());
    }

    private StoreUnavailableException broken(Attempt attempt, Throwable failure) {
        synchronized (this) {
            if (current == attempt) {
                current = null;
            }
        }
        memory.recentUsers().forget();
        attempt.client.close();
        StoreUnavailableException away = failure instanceof TimeoutException
                ? new StoreUnavailableException(
                        "Redis at " + address + " did not answer within " + timeout.toMillis() + " ms", null)
                : unavailable(failure);
        lost(String.valueOf(away.getMessage()));
        if (failure instanceof UnfitRedisException unfit) {
            onUnfit.accept(unfit);
        }
        return away;
    }

    private StoreUnavailableException unavailable(Throwable failure) {
        return failure instanceof StoreUnavailableException known
                ? known
                : new StoreUnavailableException(
                        "Redis at " + address + " is not usable: " + RedisFailure.text(failure), failure);
    }

    private synchronized void lost(String sentence) {
        availability.lost(Work.WRITE, REDIS, sentence);
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
            availability.regained(Work.WRITE, REDIS);
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
        use(session -> session.commits.look(installation).invoke(hash -> requireSame(session.hash, hash)))
                .subscribe()
                .with(
                        hash -> probeAfter(needsCare() ? PROBE_WHILE_LOST : PROBE_WHILE_WELL),
                        failure -> probeAfter(PROBE_WHILE_LOST));
    }

    /** Two processes must not hash ids by different keys, so a connection ends with the key that it was opened under. */
    private static void requireSame(IdHash known, IdHash seen) {
        if (!known.text().equals(seen.text())) {
            throw new StoreUnavailableException("Redis was emptied and begun anew by another process", null);
        }
    }

    private boolean needsCare() {
        return availability.missing(Work.WRITE).containsKey(RedisInstallation.EVICTION);
    }
}
