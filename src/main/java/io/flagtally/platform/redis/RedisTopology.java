package io.flagtally.platform.redis;

/** How the Redis that holds the counts is spread over servers. */
public enum RedisTopology {
    /** One server, or an address that always leads to the one that takes writes. */
    STANDALONE,
    /** One master with replicas; sentinels know which one it is. */
    SENTINEL,
    /** Several masters, each with a part of the keys. */
    CLUSTER
}
