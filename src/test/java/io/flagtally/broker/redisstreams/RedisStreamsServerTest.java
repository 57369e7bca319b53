package io.flagtally.broker.redisstreams;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.broker.BrokerPlace;
import io.flagtally.platform.BrokerState.Look;
import io.flagtally.platform.redis.RedisConfig;
import io.flagtally.testing.RedisServerForTests;
import io.flagtally.testing.TestConfigs;
import io.vertx.mutiny.core.Vertx;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a real Redis is said to be as the broker. */
class RedisStreamsServerTest {

    private static final BrokerPlace PLACE = new BrokerPlace(
            Optional.of("events"), Optional.of("events"), Optional.of("counts"), Optional.empty(), Optional.empty());

    private final RedisServerForTests redis = RedisServerForTests.start();
    private final Vertx vertx = Vertx.vertx();
    private final RedisStreamsServer server = server();

    @AfterEach
    void close() {
        server.close();
        vertx.closeAndAwait();
        redis.close();
    }

    @Test
    void mayDropTheStreams_isSaidAtTheStartAndAtEachLookUntilItIsMended() {
        assertEquals(Optional.empty(), server.check(PLACE));
        assertEquals(Look.FINE, server.look());

        redis.run("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
        Optional<String> atStart = server.check(PLACE);
        Look look = server.look();

        assertTrue(atStart.orElseThrow().contains("allkeys-lru; set it to noeviction"), atStart::toString);
        assertEquals(new Look(Optional.empty(), atStart), look);
        redis.run("CONFIG", "SET", "maxmemory-policy", "noeviction");
        assertEquals(Look.FINE, server.look());
    }

    @Test
    void away_isUnusableAndWaitedFor() {
        redis.kill();

        assertTrue(server.check(PLACE).orElseThrow().contains("is away"));
        Look look = server.look();
        assertTrue(look.unusable().orElseThrow().contains("is not usable"), look::toString);
        assertEquals(Optional.empty(), look.mayLose(), "nobody knows");
    }

    private RedisStreamsServer server() {
        RedisConfig config = TestConfigs.of(RedisConfig.class, Map.of("flagtally.redis.url", redis.url()));
        RedisStreamsConfig streams = TestConfigs.of(RedisStreamsConfig.class, Map.of());
        return new RedisStreamsServer(vertx, streams, config, new RedisStreamsConnector(vertx, streams, config));
    }
}
