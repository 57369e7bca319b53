package io.flagtally.platform.redis;

import io.vertx.core.net.NetClientOptions;
import io.vertx.redis.client.RedisClientType;
import io.vertx.redis.client.RedisOptions;
import io.vertx.redis.client.RedisRole;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Where Redis is.
 *
 * @param urls with user and password if it wants them: the server, the sentinels, or some nodes of the cluster
 * @param masterName what the sentinels call the master; of no matter without them
 */
public record RedisPlace(RedisTopology topology, List<String> urls, String masterName) {

    private static final Pattern URL = Pattern.compile("(rediss?|unix)://\\S+");
    private static final int CLUSTER_CONNECTIONS_MAX = 16;

    /** @throws IllegalArgumentException with one sentence that names the configuration key */
    public RedisPlace {
        urls = List.copyOf(urls);
        if (urls.isEmpty() || !urls.stream().allMatch(url -> URL.matcher(url).matches())) {
            throw new IllegalArgumentException("flagtally.redis.url does not look like redis://host:port");
        }
        if (topology == RedisTopology.STANDALONE && urls.size() > 1) {
            throw new IllegalArgumentException("flagtally.redis.url names " + urls.size()
                    + " servers; set flagtally.redis.topology to sentinel or cluster, or name one");
        }
    }

    /** One server. */
    public static RedisPlace standalone(String url) {
        return new RedisPlace(RedisTopology.STANDALONE, List.of(url), "");
    }

    /** The Redis that is configured. */
    public static RedisPlace of(RedisConfig config) {
        List<String> urls = config.url()
                .orElseThrow(() -> new IllegalStateException(
                        "flagtally.redis.url is not set, and no Redis was started beside the service"));
        return new RedisPlace(config.topology(), urls, config.sentinel().masterName());
    }

    public boolean cluster() {
        return topology == RedisTopology.CLUSTER;
    }

    /** The addresses without users and passwords, for people. */
    public String address() {
        String places =
                urls.stream().map(url -> url.replaceFirst("//[^@/]*@", "//")).collect(Collectors.joining(", "));
        return topology == RedisTopology.SENTINEL ? places + " (master " + masterName + ")" : places;
    }

    /** What a client needs for one connection, to the server that takes writes; on a cluster one to each of them. */
    public RedisOptions options(String poolName, int commandsInFlightMax, Duration connectTimeout) {
        RedisOptions options = new RedisOptions()
                .setPoolName(poolName)
                .setMaxPoolSize(cluster() ? CLUSTER_CONNECTIONS_MAX : 1)
                .setMaxWaitingHandlers(commandsInFlightMax)
                .setNetClientOptions(
                        new NetClientOptions().setTcpNoDelay(true).setConnectTimeout((int) connectTimeout.toMillis()));
        urls.forEach(options::addConnectionString);
        switch (topology) {
            case STANDALONE -> options.setType(RedisClientType.STANDALONE);
            case SENTINEL ->
                options.setType(RedisClientType.SENTINEL)
                        .setRole(RedisRole.MASTER)
                        .setMasterName(masterName);
            case CLUSTER -> options.setType(RedisClientType.CLUSTER);
        }
        return options;
    }
}
