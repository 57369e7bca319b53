package io.flagtally.store.redis;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.event.FlagEvent;
import io.flagtally.pipeline.BatchOutcome;
import io.flagtally.pipeline.StoreUnavailableException;
import io.flagtally.platform.Availability;
import io.flagtally.platform.Availability.Work;
import io.flagtally.platform.redis.RedisDurability;
import io.flagtally.platform.redis.UnfitRedisException;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.EventBatch;
import io.flagtally.series.Doubt;
import io.flagtally.series.Doubt.Cause;
import io.flagtally.testing.RandomEvents;
import io.flagtally.testing.RedisServerForTests;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A Redis that forgets what it said, or says it before it is safe. */
class ForgettingStoreTest {

    private static final Instant NOW = Instant.parse("2091-11-21T12:30:00Z");
    private static final BucketCalendar UTC = new BucketCalendar(ZoneOffset.UTC);
    private static final Duration TIMEOUT = Duration.ofSeconds(2);
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final RedisSinkFixture redis = new RedisSinkFixture();
    private final Availability availability = new Availability();
    private final RandomEvents made = new RandomEvents(7);
    private int users;
    private RedisCountSink sink;

    @BeforeEach
    void open() {
        sink = sink(redis.link(redis.server.port(), UTC, TIMEOUT, availability));
    }

    @AfterEach
    void close() {
        redis.close();
    }

    @Test
    void write_wellStore_raisesNoDoubt() {
        write(sink, event());
        write(sink, event());

        assertEquals(List.of(), doubts());
        assertEquals(1, redis.keys("flagtally:commit:*").size());
        assertTrue(redis.number("GET", redis.keys("flagtally:commit:*").get(0)) >= 2);
        assertTrue(redis.number("TTL", redis.keys("flagtally:commit:*").get(0)) > 3_600);
    }

    @Test
    void write_markerWentBack_namesTheIntervalOfWhatIsGone() {
        write(sink, event());
        Instant lastSafe = redis.clock.instant();
        String marker = redis.keys("flagtally:commit:*").get(0);
        long then = redis.number("GET", marker);
        write(sink, event());
        write(sink, event());
        redis.run("SET", marker, then, "KEEPTTL");

        write(sink, event());

        Doubt doubt = awaitDoubt(Cause.MARKER_WENT_BACK);
        assertAll(
                () -> assertFalse(doubt.from().isAfter(lastSafe), doubt::toString),
                () -> assertTrue(doubt.from().isAfter(lastSafe.minusSeconds(5)), doubt::toString),
                () -> assertFalse(doubt.to().isBefore(lastSafe), doubt::toString),
                () -> assertTrue(doubt.detail().contains("by 2 flushes"), doubt::detail),
                () -> assertTrue(availability.notes().containsKey("doubt marker-went-back")),
                () -> assertEquals(
                        List.of(), List.copyOf(availability.missing(Work.ACCEPT).keySet())),
                () -> assertEquals(1, told(Cause.MARKER_WENT_BACK)));
    }

    @Test
    void flushall_withoutReconnect_isNoticedAndNothingIsCountedByTheOldKey() {
        FlagEvent before = event();
        write(sink, before);
        RedisCountSink other = sink(redis.link(redis.server.port(), UTC, TIMEOUT, new Availability()));
        redis.run("FLUSHALL");
        FlagEvent event = event();
        write(other, event);

        assertThrows(StoreUnavailableException.class, () -> write(sink, event));

        assertEquals(new BatchOutcome(0, 1), write(sink, event));
        assertEquals(1, redis.sum("ec:*"));
        Doubt doubt = awaitDoubt(Cause.INSTALLATION_LOST);
        assertFalse(doubt.to().isBefore(doubt.from()));
    }

    @Test
    void flushall_withoutTraffic_isNoticedByTheProbe() {
        write(sink, event());

        redis.run("FLUSHALL");

        awaitDoubt(Cause.INSTALLATION_LOST);
        awaitDoubt(Cause.MARKER_WENT_BACK);
    }

    @Test
    void restart_dataKept_isADoubtThatSaysTheMarkersAreIntact() {
        write(sink, event());
        redis.server.restart();
        redis.reconnect();

        Doubt doubt = awaitDoubt(Cause.SERVER_CHANGED);

        assertTrue(doubt.detail().contains("intact"), doubt::detail);
        assertEquals(0, told(Cause.MARKER_WENT_BACK));
    }

    @Test
    void eviction_keysDropped_isADoubtEvenAfterThePolicyWasMended() {
        write(sink, event());
        for (int i = 0; i < 200; i++) {
            redis.run("SET", "filler:" + i, "x".repeat(10_000));
        }
        redis.run("CONFIG", "SET", "maxmemory-policy", "allkeys-random");
        redis.run("CONFIG", "SET", "maxmemory", redis.usedMemory() - 1_000_000);
        redis.run("SET", "filler:last", "x");
        redis.run("CONFIG", "SET", "maxmemory-policy", "noeviction");
        redis.run("CONFIG", "SET", "maxmemory", 0);

        Doubt doubt = awaitDoubt(Cause.EVICTED);

        assertTrue(doubt.detail().contains("keys for want of memory"), doubt::detail);
        assertTrue(redis.meters.get("flagtally.redis.evicted.keys").gauge().value() > 0);
        await().atMost(PATIENCE).until(() -> redis.number("EXISTS", RedisKeys.EVICTIONS) == 1);
        redis.link(redis.server.port(), UTC, TIMEOUT, new Availability())
                .open()
                .await()
                .atMost(PATIENCE);
        assertEquals(1, told(Cause.EVICTED), "a process that starts tells nothing anew");
    }

    @Test
    void flushall_aDoubt_isTheWordToForget() {
        AtomicInteger forgotten = new AtomicInteger();
        RedisLink link = redis.link(redis.server.port(), UTC, TIMEOUT, new Availability());
        link.onDoubt(forgotten::incrementAndGet);
        write(sink(link), event());
        assertEquals(0, forgotten.get());

        redis.run("FLUSHALL");

        await().atMost(PATIENCE).until(() -> forgotten.get() > 0);
    }

    @Test
    void durabilityReplica_noReplica_isUnavailableUntilThereIsOne() {
        RedisDurability durability = new RedisDurability(RedisDurability.Level.REPLICA, 1, Duration.ofMillis(500));
        RedisCountSink durable = sink(redis.link(redis.server.port(), UTC, TIMEOUT, durability, availability));
        FlagEvent event = event();

        StoreUnavailableException failure = assertThrows(StoreUnavailableException.class, () -> write(durable, event));

        assertTrue(String.valueOf(failure.getMessage()).contains("0 of 1 replicas"), failure.getMessage());
        try (RedisServerForTests replica = RedisServerForTests.start()) {
            replica.follow(redis.server);
            await().atMost(PATIENCE)
                    .until(() -> !availability.missing(Work.ACCEPT).containsKey(RedisLink.REDIS));
            assertEquals(new BatchOutcome(1, 0), write(durable, event));
        }
    }

    @Test
    void durabilityFsync_serverWithoutWaitaof_isRefusedWithASentence() {
        RedisDurability durability = new RedisDurability(RedisDurability.Level.FSYNC, 0, Duration.ofMillis(500));
        RedisLink link = redis.link(redis.server.port(), UTC, TIMEOUT, durability, availability);
        UnfitRedisException[] unfit = new UnfitRedisException[1];
        link.onUnfit(found -> unfit[0] = found);

        assertThrows(StoreUnavailableException.class, () -> link.open().await().atMost(PATIENCE));

        String sentence = String.valueOf(Objects.requireNonNull(unfit[0]).getMessage());
        assertTrue(sentence.contains("flagtally.redis.durability is fsync, which takes Redis 7.2"), sentence);
    }

    private static RedisCountSink sink(RedisLink link) {
        return new RedisCountSink(
                link,
                new RedisKeys(false),
                UTC,
                CountRules.DEFAULT,
                InstantSource.fixed(NOW),
                new SimpleMeterRegistry());
    }

    /** An event of a user of its own, so that none is left out. */
    private FlagEvent event() {
        return RandomEvents.evaluation(made.id(), "f", "v", "user-" + ++users, NOW);
    }

    private static BatchOutcome write(RedisCountSink sink, FlagEvent event) {
        return sink.write(EventBatch.of(UTC, List.of(event))).await().atMost(PATIENCE);
    }

    private double told(Cause cause) {
        return redis.meters
                .counter("flagtally.redis.doubts", "cause", cause.label())
                .count();
    }

    private Doubt awaitDoubt(Cause cause) {
        await().atMost(PATIENCE).until(() -> doubts().stream().anyMatch(doubt -> doubt.cause() == cause));
        return doubts().stream()
                .filter(doubt -> doubt.cause() == cause)
                .findFirst()
                .orElseThrow();
    }

    private List<Doubt> doubts() {
        return redis.list(RedisKeys.DOUBTS).stream()
                .map(DoubtLog::decode)
                .map(Objects::requireNonNull)
                .toList();
    }
}
