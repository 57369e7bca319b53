package io.flagtally.store.redis;

import io.flagtally.pipeline.BatchSink;
import io.flagtally.pipeline.BatchSinkContract;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;

/** {@link RedisCountSink} keeps the contract of a sink. */
class RedisCountSinkTest extends BatchSinkContract {

    private static RedisSinkFixture redis;

    @BeforeAll
    static void start() {
        redis = new RedisSinkFixture();
    }

    @AfterAll
    static void stop() {
        redis.close();
    }

    @AfterEach
    void clear() {
        redis.clear();
    }

    @Override
    protected BatchSink newSink(int port, boolean recognising, Duration timeout) {
        CountRules standard = CountRules.DEFAULT;
        CountRules rules =
                new CountRules(recognising, standard.window(), standard.variationsMax(), standard.flagsMax());
        return redis.sink(port, CALENDAR, rules, NOW, timeout);
    }

    @Override
    protected int storePort() {
        return redis.server.port();
    }

    @Override
    protected void stopStore() {
        redis.server.stop();
    }

    @Override
    protected void startStore() {
        redis.server.restart();
        redis.reconnect();
    }

    @Override
    protected long counted() {
        return redis.sum("ec:*");
    }

    @Override
    protected void spoil(String flag) {
        redis.run("LPUSH", dayKey(flag), "not a counter");
    }

    @Override
    protected void mend(String flag) {
        redis.run("DEL", dayKey(flag));
    }

    private static String dayKey(String flag) {
        return "ec:" + CALENDAR.dayStart(NOW).getEpochSecond() + ":" + flag + ":v0";
    }
}
