package io.flagtally.store.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagId;
import io.flagtally.event.VariationId;
import io.flagtally.rollup.Granularity;
import io.flagtally.rollup.TimeBucket;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RedisKeysTest {

    private static final EnvironmentId STAGING = new EnvironmentId("staging");
    private static final FlagId CHECKOUT = new FlagId("checkout");
    private static final VariationId BLUE = new VariationId("blue");
    private static final Instant DAY = Instant.ofEpochSecond(1_787_184_000);
    private static final Instant HOUR = Instant.ofEpochSecond(1_787_187_600);

    @Test
    void keys_everyKind_areThoseOfTheGoldenFile() throws IOException {
        List<String> keys = new ArrayList<>();
        for (boolean hashTags : new boolean[] {false, true}) {
            RedisKeys redisKeys = new RedisKeys(hashTags);
            for (EnvironmentId environment : List.of(EnvironmentId.DEFAULT, STAGING)) {
                keys.addAll(keysOf(redisKeys, environment, CHECKOUT, BLUE));
            }
            keys.addAll(
                    keysOf(redisKeys, new EnvironmentId("a:b"), new FlagId("{50%}:größe"), new VariationId("日本 :1")));
        }
        keys.addAll(List.of(RedisKeys.ENVIRONMENTS, RedisKeys.INSTALLATION));

        assertEquals(golden(), keys);
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain", "a:b", "{x}", "%", "%41", "a b", "größe", "日本", "😀", "ec", "ec:1:f:v", "*?[]\\"})
    void parse_keyOfAnyId_givesTheIdsBack(String id) {
        for (boolean hashTags : new boolean[] {false, true}) {
            for (EnvironmentId environment : List.of(EnvironmentId.DEFAULT, new EnvironmentId(id))) {
                RedisKeys keys = new RedisKeys(hashTags);
                FlagId flag = new FlagId(id);
                VariationId variation = new VariationId(id);

                RedisKeys.CounterKey parsed =
                        keys.parse(keys.users(environment, flag, variation, new TimeBucket(Granularity.DAY, DAY)));

                assertNotNull(parsed);
                assertEquals(
                        new RedisKeys.CounterKey(RedisKeys.Kind.DAY_USERS, environment, DAY, flag, variation), parsed);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "ec",
                "ec:1:f",
                "ec:x:f:v",
                "ec:01:f:v",
                "ec:+1:f:v",
                "ec:1::v",
                "ec:1:f:",
                "xx:1:f:v",
                "ec:1:f:v:w",
                "ec:1:%4:v",
                "ec:1:%3a:v",
                "ec:1:%41:v",
                "ec:1:{f}:v",
                "default:ec:1:f:v",
                ":ec:1:f:v",
                "a:b:ec:1:f:v",
                "ec:99999999999999999999:f:v",
                "ec:9223372036854775807:f:v",
                "catalog:variations:f:v"
            })
    void parse_keyThatNobodyWrites_isNull(String key) {
        assertNull(new RedisKeys(false).parse(key));
    }

    private static List<String> keysOf(RedisKeys keys, EnvironmentId environment, FlagId flag, VariationId variation) {
        TimeBucket day = new TimeBucket(Granularity.DAY, DAY);
        TimeBucket hour = new TimeBucket(Granularity.HOUR, HOUR);
        return List.of(
                keys.events(environment, flag, variation, day),
                keys.users(environment, flag, variation, day),
                keys.events(environment, flag, variation, hour),
                keys.users(environment, flag, variation, hour),
                keys.flags(environment),
                keys.variations(environment, flag));
    }

    private static List<String> golden() throws IOException {
        try (InputStream in = RedisKeysTest.class.getResourceAsStream("/golden/redis-keys.txt")) {
            assertNotNull(in);
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        }
    }
}
