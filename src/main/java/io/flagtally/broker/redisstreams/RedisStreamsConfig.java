package io.flagtally.broker.redisstreams;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Redis Streams as the broker (profile {@code redis}). */
@ConfigMapping(prefix = "flagtally.redis-streams")
public interface RedisStreamsConfig {

    /**
     * The Redis that holds the streams, if it is another one than {@code flagtally.redis.url}. Its topology, its durability
     * and its sentinels' master name are those of {@code flagtally.redis}.
     */
    Optional<List<String>> url();

    /**
     * How many streams the messages are spread over; on a cluster they lie on different masters. May grow at any time. Before
     * it shrinks, the streams that go must be empty.
     */
    @WithDefault("4")
    int partitions();

    /** Most messages in a stream. When they are reached and every one still waits for a group, publishing is refused. */
    @WithDefault("20000")
    int lengthMax();

    /** Most dead letters that are kept; beyond, the oldest goes. The table of dead letters keeps them all. */
    @WithDefault("10000")
    int deadLettersMax();

    /** Most messages that wait to be sent to Redis, or for its answer; the sender waits. */
    @WithDefault("1024")
    int sendingMax();

    /** Messages taken at once from a stream. */
    @WithDefault("32")
    int fetchMax();

    /** Most messages that a process holds: fetched and not acknowledged. */
    @WithDefault("1000")
    int inFlightMax();

    /** Bytes of messages fetched and not yet asked for, above which no more are fetched. */
    @WithDefault("16777216")
    int fetchedBytesMax();

    /**
     * How long a consumer must be silent before others take over its messages. A living one says every quarter of it that it
     * lives, however slow its store is.
     */
    @WithDefault("30S")
    Duration claimIdle();

    /** How long a consumer that left nothing undone must be silent before it is removed. */
    @WithDefault("10M")
    Duration consumerForget();
}
