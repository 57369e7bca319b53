package io.flagtally.store.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.platform.redis.RedisConfig;
import io.flagtally.platform.redis.RedisDurability;
import io.flagtally.platform.redis.RedisPlace;
import io.flagtally.platform.redis.RedisTopology;
import io.flagtally.testing.TestConfigs;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RedisPlaceTest {

    @Test
    void of_sentinels_namesEachAndTheMasterWithoutPasswords() {
        RedisConfig config = TestConfigs.of(
                RedisConfig.class,
                Map.of(
                        "flagtally.redis.url", "redis://:secret@a:1,redis://:secret@b:2",
                        "flagtally.redis.topology", "sentinel",
                        "flagtally.redis.sentinel.master-name", "counts"));

        RedisPlace place = RedisPlace.of(config);

        assertEquals("redis://a:1, redis://b:2 (master counts)", place.address());
        assertFalse(place.cluster());
        assertFalse(new RedisKeys(config).hashTags());
    }

    @Test
    void of_cluster_hasHashTags() {
        RedisConfig config = TestConfigs.of(
                RedisConfig.class, Map.of("flagtally.redis.url", "redis://a:1", "flagtally.redis.topology", "cluster"));

        assertTrue(RedisPlace.of(config).cluster());
        assertTrue(new RedisKeys(config).hashTags());
    }

    @Test
    void new_urlThatIsNone_isRefused() {
        IllegalArgumentException failure =
                assertThrows(IllegalArgumentException.class, () -> RedisPlace.standalone("localhost:6379"));

        assertTrue(String.valueOf(failure.getMessage()).contains("flagtally.redis.url"));
    }

    @Test
    void new_severalServersOfNoTopology_areRefused() {
        IllegalArgumentException failure = assertThrows(
                IllegalArgumentException.class,
                () -> new RedisPlace(RedisTopology.STANDALONE, List.of("redis://a", "redis://b"), ""));

        assertTrue(String.valueOf(failure.getMessage()).contains("flagtally.redis.topology"));
    }

    @Test
    void durability_timeoutThatOutlastsTheFlush_isRefused() {
        RedisConfig config = TestConfigs.of(
                RedisConfig.class,
                Map.of("flagtally.redis.durability", "replica", "flagtally.redis.durability-timeout", "3S"));

        IllegalArgumentException failure =
                assertThrows(IllegalArgumentException.class, () -> RedisDurability.of(config));

        assertTrue(String.valueOf(failure.getMessage()).contains("flagtally.redis.flush-timeout"));
    }
}
