package io.flagtally.broker.redisstreams;

import io.flagtally.broker.BrokerCheck;
import io.flagtally.broker.BrokerPlace;
import io.flagtally.broker.BrokerStartException;
import io.flagtally.platform.BrokerState;
import io.flagtally.platform.redis.RedisChannel;
import io.flagtally.platform.redis.RedisConfig;
import io.flagtally.platform.redis.RedisDurability;
import io.flagtally.platform.redis.RedisPlace;
import io.flagtally.platform.redis.ServerInfo;
import io.flagtally.platform.redis.UnfitRedisException;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.core.Vertx;
import io.vertx.mutiny.redis.client.Command;
import io.vertx.mutiny.redis.client.Request;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.inject.Any;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.eclipse.microprofile.reactive.messaging.spi.Connector;
import org.jspecify.annotations.Nullable;

/** The Redis that holds the streams, seen before the start and while the service runs. */
@Singleton
class RedisStreamsServer implements BrokerCheck, BrokerState {

    private static final Duration PATIENCE = Duration.ofSeconds(9);
    private static final int MAJOR_MIN = 6;
    private static final int MINOR_MIN = 2;
    private static final String NO_CLUSTER = "cluster support disabled";
    private static final Pattern REFUSED = Pattern.compile("(?s).*\\b(NOAUTH|WRONGPASS|NOPERM|invalid password)\\b.*");

    private final Vertx vertx;
    private final RedisStreamsConfig config;
    private final RedisConfig redis;
    private final RedisStreamsConnector connector;
    private @Nullable StreamLink link;

    @Inject
    RedisStreamsServer(
            Vertx vertx,
            RedisStreamsConfig config,
            RedisConfig redis,
            @Any @Connector(RedisStreamsConnector.NAME) RedisStreamsConnector connector) {
        this.vertx = vertx;
        this.config = config;
        this.redis = redis;
        this.connector = connector;
    }

    @Override
    public String connector() {
        return RedisStreamsConnector.NAME;
    }

    @Override
    public String name() {
        return "Redis Streams";
    }

    @Override
    public OptionalLong lag() {
        return connector.lag();
    }

    @Override
    public Look look() {
        try {
            return new Look(
                    Optional.empty(),
                    mayDrop(link().use(RedisStreamsServer::servers).await().atMost(PATIENCE)));
        } catch (RuntimeException e) {
            return Look.unusable(
                    "Redis at " + place().address() + ", the broker, is not usable: " + StreamLink.text(e));
        }
    }

    @Override
    public Optional<String> check(BrokerPlace place) {
        if (config.partitions() < 1) {
            throw new BrokerStartException(
                    "flagtally.redis-streams.partitions is " + config.partitions() + "; set it to 1 or more.");
        }
        RedisDurability durability = durability();
        List<String> streams = Stream.of(place.publishTo(), place.subscribeTo(), place.mirrorTo())
                .flatMap(Optional::stream)
                .distinct()
                .flatMap(name -> Stream.of(new StreamKeys(name, config.partitions()).all()))
                .toList();
        try {
            return link().use(RedisStreamsServer::servers)
                    .invoke(servers -> servers.forEach(server -> requireFit(server, durability)))
                    .call(() -> link().use(channel -> requireStreams(channel, streams)))
                    .map(RedisStreamsServer::mayDrop)
                    .await()
                    .atMost(PATIENCE);
        } catch (BrokerStartException e) {
            throw e;
        } catch (RuntimeException e) {
            String why = StreamLink.text(e);
            if (REFUSED.matcher(why).matches()) {
                throw new BrokerStartException(
                        "Redis at " + place().address() + " refuses the user or password in " + urlKey() + ": " + why,
                        e);
            }
            if (why.contains(NO_CLUSTER)) {
                throw new BrokerStartException(
                        "Redis at " + place().address() + " is no cluster, and flagtally.redis.topology is cluster;"
                                + " set it to standalone, or " + urlKey() + " to nodes of a cluster.",
                        e);
            }
            return Optional.of("Redis at " + place().address() + ", the broker, is away (" + why + ")");
        }
    }

    @PreDestroy
    void close() {
        if (link != null) {
            link.close();
        }
    }

    private synchronized StreamLink link() {
        if (link == null) {
            link = new StreamLink(vertx, place(), "watch", redis.flushTimeout());
        }
        return link;
    }

    private RedisPlace place() {
        try {
            return RedisStreamsConnector.place(config, redis);
        } catch (IllegalArgumentException | IllegalStateException e) {
            throw new BrokerStartException(urlKey() + " cannot be used: " + e.getMessage(), e);
        }
    }

    private String urlKey() {
        return config.url().isPresent() ? "flagtally.redis-streams.url" : "flagtally.redis.url";
    }

    private RedisDurability durability() {
        try {
            return RedisDurability.of(redis);
        } catch (IllegalArgumentException e) {
            throw new BrokerStartException(String.valueOf(e.getMessage()), e);
        }
    }

    private static Uni<List<ServerInfo>> servers(RedisChannel channel) {
        return channel.sendToMasters(Request.cmd(Command.INFO))
                .map(replies -> replies.stream()
                        .map(reply -> ServerInfo.of(reply.toString()))
                        .toList());
    }

    private void requireFit(ServerInfo server, RedisDurability durability) {
        if (!server.isAtLeast(MAJOR_MIN, MINOR_MIN)) {
            throw new BrokerStartException("Redis at " + place().address() + " is of version " + server.version()
                    + ", and streams take " + MAJOR_MIN + "." + MINOR_MIN + "; set " + urlKey() + " to a newer one.");
        }
        if (server.cluster() && !place().cluster()) {
            throw new BrokerStartException("Redis at " + place().address() + " is a node of a cluster, and"
                    + " flagtally.redis.topology is "
                    + redis.topology().name().toLowerCase(Locale.ROOT) + "; set it to cluster.");
        }
        try {
            durability.requireOf(server);
        } catch (UnfitRedisException e) {
            throw new BrokerStartException(String.valueOf(e.getMessage()), e);
        }
    }

    private static Uni<Void> requireStreams(RedisChannel channel, List<String> streams) {
        List<Uni<Void>> looks = streams.stream()
                .map(stream -> channel.send(Request.cmd(Command.TYPE).arg(stream))
                        .invoke(type -> {
                            if (!List.of("none", "stream").contains(type.toString())) {
                                throw new BrokerStartException("The key " + stream + " of Redis holds a " + type
                                        + ", not a stream; set flagtally.broker.publish-to and subscribe-to, or"
                                        + " " + BrokerPlace.MIRROR_TO + ", to another name.");
                            }
                        })
                        .replaceWithVoid())
                .toList();
        return looks.isEmpty()
                ? Uni.createFrom().voidItem()
                : Uni.join().all(looks).andFailFast().replaceWithVoid();
    }

    private static Optional<String> mayDrop(List<ServerInfo> servers) {
        return servers.stream()
                .map(ServerInfo::evictionPolicy)
                .filter(policy -> !policy.isEmpty() && !policy.equals("noeviction"))
                .findFirst()
                .map(policy -> "The Redis of the streams may drop them: its maxmemory-policy is " + policy
                        + "; set it to noeviction");
    }
}
