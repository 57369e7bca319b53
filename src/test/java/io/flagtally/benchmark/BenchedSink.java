package io.flagtally.benchmark;

import io.flagtally.platform.Availability;
import io.flagtally.platform.redis.RedisDurability;
import io.flagtally.platform.redis.RedisPlace;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.store.redis.CountRules;
import io.flagtally.store.redis.RedisCountSink;
import io.flagtally.store.redis.RedisKeys;
import io.flagtally.store.redis.RedisLink;
import io.flagtally.testing.RedisServerForTests;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.mutiny.core.Vertx;
import java.time.Duration;
import java.time.InstantSource;
import java.time.ZoneOffset;

/** The counting sink as the service makes it, on a Redis of its own. */
final class BenchedSink implements AutoCloseable {

    static final BucketCalendar CALENDAR = new BucketCalendar(ZoneOffset.UTC);
    static final Duration WINDOW = Duration.ofHours(24);

    private final RedisLink link;
    private final RedisCountSink sink;

    BenchedSink(Vertx vertx, RedisServerForTests server, boolean deduplicate, MeterRegistry meters) {
        link = new RedisLink(
                vertx,
                RedisPlace.standalone(server.url()),
                Duration.ofSeconds(10),
                ZoneOffset.UTC,
                RedisDurability.LOCAL,
                InstantSource.system(),
                meters,
                new Availability());
        CountRules rules = new CountRules(deduplicate, WINDOW, 100, 10_000);
        sink = new RedisCountSink(link, new RedisKeys(false), CALENDAR, rules, InstantSource.system(), meters);
    }

    RedisCountSink sink() {
        return sink;
    }

    @Override
    public void close() {
        link.close();
    }
}
