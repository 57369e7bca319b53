package io.flagtally.store.redis;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;
import java.util.Optional;

/** The Redis that holds the counts. */
@ConfigMapping(prefix = "flagtally.redis")
public interface RedisConfig {

    /** Where it listens, such as {@code redis://redis.example.com:6379}. Without it a Redis is started beside us. */
    Optional<String> url();

    /** True for Redis Cluster: the flag id stands in braces, so that a flag's keys share a slot. Not to be changed once there are counts. */
    @WithDefault("false")
    boolean cluster();

    /** How long a flush may take before its connection is closed and the flush is tried again. */
    @WithDefault("3S")
    Duration flushTimeout();
}
