package io.flagtally.platform.redis;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The Redis that holds the counts. */
@ConfigMapping(prefix = "flagtally.redis")
public interface RedisConfig {

    /**
     * Where it listens, such as {@code redis://redis.example.com:6379}. With sentinels or a cluster several addresses,
     * separated by commas: the sentinels, or some of the nodes. Without it a Redis is started beside us.
     */
    Optional<List<String>> url();

    /**
     * {@code standalone}, {@code sentinel} or {@code cluster}. On a cluster the flag id stands in braces, so that a flag's
     * keys share a slot; not to be changed to or from {@code cluster} once there are counts.
     */
    @WithDefault("standalone")
    RedisTopology topology();

    Sentinel sentinel();

    /**
     * When a flush counts as written: {@code local} when the master says so, {@code replica} when
     * {@code flagtally.redis.durability-replicas} replicas have it too, {@code fsync} when the master's disk has it (Redis
     * 7.2 with {@code appendonly yes}).
     */
    @WithDefault("local")
    RedisDurability.Level durability();

    /** How many replicas must have a flush under {@code durability: replica}; on a cluster, of each master. */
    @WithDefault("1")
    int durabilityReplicas();

    /**
     * How long a flush waits for replicas or disk; then it is written again, and recognised. Below {@code flush-timeout},
     * and for {@code fsync} with Redis' {@code appendfsync everysec} above a second.
     */
    @WithDefault("2S")
    Duration durabilityTimeout();

    /** How long a flush may take before its connection is closed and the flush is tried again. */
    @WithDefault("3S")
    Duration flushTimeout();

    /** What the sentinels are asked. */
    interface Sentinel {

        /** What the sentinels call the master. */
        @WithDefault("mymaster")
        String masterName();
    }
}
