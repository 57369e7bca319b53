package io.flagtally.store.redis;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.pipeline.StoreUnavailableException;
import io.flagtally.platform.Availability;
import io.flagtally.rollup.BucketCalendar;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneId;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class CounterSweepTest {

    private static final BucketCalendar BERLIN = new BucketCalendar(ZoneId.of("Europe/Berlin"));
    // 28 October 2091 has 25 hours in Berlin.
    private static final Instant DAY = Instant.parse("2091-10-27T22:00:00Z");
    private static final Instant DAY_EXPIRY =
            Instant.parse("2091-10-28T23:00:00Z").plus(Duration.ofDays(32));
    private static final Instant HOUR = Instant.parse("2091-11-29T21:00:00Z");
    private static final Instant HOUR_EXPIRY = HOUR.plus(Duration.ofHours(73));
    private static RedisSinkFixture redis;

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();

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

    @Test
    void sweep_countersWithinTheirRetention_getTheExpiryOfCounting() {
        redis.run("SET", "ec:" + DAY.getEpochSecond() + ":f:v", 5);
        redis.run("PFADD", "staging:uc:" + DAY.getEpochSecond() + ":f:v", "u");
        redis.run("SET", "ech:" + HOUR.getEpochSecond() + ":f:v", 5);
        redis.run("PFADD", "uch:" + HOUR.getEpochSecond() + ":f:v", "u");

        SweepReport report = sweep(DAY_EXPIRY.minusSeconds(1));

        assertAll(
                () -> assertEquals(4, report.expiring()),
                () -> assertEquals(0, report.deleted()),
                () -> assertEquals(DAY_EXPIRY, redis.expiry("ec:" + DAY.getEpochSecond() + ":f:v")),
                () -> assertEquals(DAY_EXPIRY, redis.expiry("staging:uc:" + DAY.getEpochSecond() + ":f:v")),
                () -> assertEquals(HOUR_EXPIRY, redis.expiry("ech:" + HOUR.getEpochSecond() + ":f:v")),
                () -> assertEquals(HOUR_EXPIRY, redis.expiry("uch:" + HOUR.getEpochSecond() + ":f:v")));
    }

    @Test
    void sweep_countersPastTheirRetention_areDeleted() {
        redis.run("SET", "ec:" + DAY.getEpochSecond() + ":f:v", 5);
        redis.run("SET", "ec:" + (DAY.getEpochSecond() + 25 * 3600) + ":f:v", 5);

        SweepReport report = sweep(DAY_EXPIRY);

        assertAll(
                () -> assertEquals(1, report.deleted()),
                () -> assertEquals(1, report.expiring()),
                () -> assertEquals(List.of("ec:" + (DAY.getEpochSecond() + 25 * 3600) + ":f:v"), redis.keys("ec:*")),
                () -> assertEquals(
                        1,
                        meters.counter("flagtally.redis.sweep.keys", "result", "deleted")
                                .count()));
    }

    @Test
    void sweep_counterThatHasAnExpiry_isLeftAlone() {
        redis.run("SET", "ec:" + DAY.getEpochSecond() + ":f:v", 5, "EX", 1000);

        SweepReport report = sweep(DAY_EXPIRY);

        assertAll(
                () -> assertEquals(0, report.deleted() + report.expiring()),
                () -> assertTrue(redis.number("TTL", "ec:" + DAY.getEpochSecond() + ":f:v") > 900));
    }

    @Test
    void sweep_malformedAndForeignKeys_areSkippedAndTheFormerCounted() {
        List<String> malformed =
                List.of("ec:x:f:v", "ec:1:f", "uc::f:v", "ech:1:%zz:v", "env:uch:1", "ec:9223372036854775807:f:v");
        malformed.forEach(key -> redis.run("SET", key, "1"));
        redis.run("SET", "session:1", "not ours");
        redis.run("SET", "ec:" + DAY.getEpochSecond() + ":f:v", 5);

        SweepReport report = sweep(DAY_EXPIRY);

        assertAll(
                () -> assertEquals(malformed.size(), report.malformed()),
                () -> assertEquals(
                        SweepReport.SAMPLE_MAX, report.malformedSample().size()),
                () -> assertEquals(1, report.deleted()),
                () -> assertEquals(
                        malformed.size() + 1,
                        redis.keys("*:*").stream()
                                .filter(key -> !key.startsWith("flagtally:"))
                                .count()));
    }

    @Test
    void sweep_moreKeysThanAStep_findsAll() {
        for (int i = 0; i < 500; i++) {
            redis.run("SET", "ec:" + DAY.getEpochSecond() + ":f" + i + ":v", i);
        }

        SweepReport report = sweep(DAY_EXPIRY);

        assertAll(
                () -> assertEquals(500, report.deleted()),
                () -> assertTrue(report.scanned() >= 500),
                () -> assertEquals(List.of(), redis.keys("ec:*")));
    }

    @Test
    void sweep_whileAnotherProcessSweeps_isLeftToIt() {
        redis.run("SET", "ec:" + DAY.getEpochSecond() + ":f:v", 5);
        redis.run("SET", "flagtally:sweep", "held");

        SweepReport skipped = sweep(DAY_EXPIRY);
        redis.run("DEL", "flagtally:sweep");
        SweepReport ran = sweep(DAY_EXPIRY);

        assertAll(
                () -> assertEquals(SweepReport.SKIPPED, skipped),
                () -> assertEquals(1, ran.deleted()),
                () -> assertEquals(0, redis.number("EXISTS", "flagtally:sweep")));
    }

    @Test
    void sweep_redisAway_fails() {
        redis.server.pause();
        try {
            assertThrows(StoreUnavailableException.class, () -> sweep(DAY_EXPIRY));
        } finally {
            redis.server.resume();
        }
    }

    private SweepReport sweep(Instant now) {
        RedisLink link = redis.link(redis.server.port(), BERLIN, Duration.ofSeconds(2), new Availability());
        CounterSweep sweep = new CounterSweep(
                link,
                new RedisKeys(false),
                new CounterRetention(BERLIN),
                InstantSource.fixed(now),
                20,
                Duration.ofMillis(1),
                meters);
        return sweep.sweep().await().atMost(Duration.ofSeconds(20));
    }
}
