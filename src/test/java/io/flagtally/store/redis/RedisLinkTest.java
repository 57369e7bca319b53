package io.flagtally.store.redis;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.pipeline.BatchOutcome;
import io.flagtally.pipeline.StoreUnavailableException;
import io.flagtally.platform.Availability;
import io.flagtally.platform.Availability.Work;
import io.flagtally.platform.redis.UnfitRedisException;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.EventBatch;
import io.flagtally.testing.RandomEvents;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How writing copes with a Redis that is away, not well, or not ours; and what it tells about it. */
class RedisLinkTest {

    private static final Instant NOW = Instant.parse("2091-11-21T12:30:00Z");
    private static final BucketCalendar UTC = new BucketCalendar(ZoneOffset.UTC);
    private static final Duration TIMEOUT = Duration.ofSeconds(2);
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final RedisSinkFixture redis = new RedisSinkFixture();
    private final Availability availability = new Availability();
    private final RandomEvents made = new RandomEvents(7);
    private RedisLink link;
    private RedisCountSink sink;

    @BeforeEach
    void open() {
        link = redis.link(redis.server.port(), UTC, TIMEOUT, availability);
        sink = new RedisCountSink(
                link,
                new RedisKeys(false),
                UTC,
                CountRules.DEFAULT,
                InstantSource.fixed(NOW),
                new SimpleMeterRegistry());
    }

    @AfterEach
    void close() {
        redis.close();
    }

    @Test
    void open_redisWell_canAccept() {
        assertTrue(isMissing(RedisLink.REDIS));

        link.open().await().atMost(PATIENCE);

        assertEquals(List.of(), List.copyOf(availability.missing(Work.ACCEPT).keySet()));
    }

    @Test
    void write_scriptForgotten_countsAllTheSame() {
        write(batch());
        redis.run("SCRIPT", "FLUSH");
        EventBatch batch = batch();

        BatchOutcome outcome = write(batch);

        assertAll(
                () -> assertEquals(new BatchOutcome(1, 0), outcome),
                () -> assertEquals(new BatchOutcome(0, 1), write(batch)));
    }

    @Test
    void write_redisPaused_failsInTimeAndRecoversWithoutTraffic() {
        write(batch());
        EventBatch batch = batch();
        redis.server.pause();

        assertThrows(StoreUnavailableException.class, () -> write(batch));

        assertTrue(isMissing(RedisLink.REDIS));
        redis.server.resume();
        await().atMost(PATIENCE).until(() -> !isMissing(RedisLink.REDIS));
        assertEquals(2, totalAfter(batch));
    }

    @Test
    void kill_withoutTraffic_isNoticedAndSoIsTheReturn() {
        write(batch());

        redis.server.kill();

        await().atMost(PATIENCE).until(() -> isMissing(RedisLink.REDIS));
        redis.server.restart();
        await().atMost(PATIENCE).until(() -> !isMissing(RedisLink.REDIS));
    }

    @Test
    void write_memoryFull_isUnavailableUntilThereIsRoom() {
        write(batch());
        EventBatch batch = batch();
        redis.run("CONFIG", "SET", "maxmemory", 1);

        assertThrows(StoreUnavailableException.class, () -> write(batch));

        assertTrue(isMissing(RedisLink.REDIS));
        redis.run("CONFIG", "SET", "maxmemory", 0);
        await().atMost(PATIENCE).until(() -> !isMissing(RedisLink.REDIS));
        assertEquals(2, totalAfter(batch));
    }

    @Test
    void write_readOnlyReplica_isUnavailableUntilItIsAMaster() {
        write(batch());
        EventBatch batch = batch();
        redis.run("REPLICAOF", "127.0.0.1", 1);

        assertThrows(StoreUnavailableException.class, () -> write(batch));

        redis.run("REPLICAOF", "NO", "ONE");
        await().atMost(PATIENCE).until(() -> !isMissing(RedisLink.REDIS));
        assertEquals(2, totalAfter(batch));
    }

    @Test
    void write_passwordWanted_isUnavailableAndBlamesNoEvent() {
        redis.run("CONFIG", "SET", "requirepass", "secret");

        StoreUnavailableException failure = assertThrows(StoreUnavailableException.class, () -> write(batch()));

        assertTrue(String.valueOf(failure.getMessage()).contains("NOAUTH"), failure.getMessage());
        redis.run("CONFIG", "SET", "requirepass", "");
    }

    @Test
    void write_installationOfAnotherTypeAtTheStart_waitsAndCountsOnceItIsMended() {
        redis.run("SET", RedisKeys.INSTALLATION, "planted");
        EventBatch batch = batch();

        assertWaitsFor(RedisKeys.INSTALLATION, batch);

        redis.run("DEL", RedisKeys.INSTALLATION);
        await().atMost(PATIENCE).until(() -> !isMissing(RedisLink.REDIS));
        assertEquals(1, totalAfter(batch));
    }

    @Test
    void write_installationOfAnotherTypeUnderWay_waitsAndCountsOnceItIsMended() {
        write(batch());
        EventBatch batch = batch();
        redis.run("SET", RedisKeys.INSTALLATION, "planted");

        assertWaitsFor(RedisKeys.INSTALLATION, batch);
        assertWaitsFor(RedisKeys.INSTALLATION, batch);

        redis.run("DEL", RedisKeys.INSTALLATION);
        await().atMost(PATIENCE).until(() -> !isMissing(RedisLink.REDIS));
        assertEquals(2, totalAfter(batch));
    }

    @Test
    void write_installationWithoutAKeyInHexadecimal_waitsAndSaysWhatToDo() {
        redis.run("HSET", RedisKeys.INSTALLATION, "id-key", "not hexadecimal");
        EventBatch batch = batch();

        assertWaitsFor("field id-key", batch);

        redis.run("HDEL", RedisKeys.INSTALLATION, "id-key");
        await().atMost(PATIENCE).until(() -> !isMissing(RedisLink.REDIS));
        assertEquals(1, totalAfter(batch));
    }

    @Test
    void write_doubtsOfAnotherTypeWithADoubtToList_waitsAndCountsOnceItIsMended() {
        write(batch());
        redis.run("FLUSHALL");
        redis.run("SET", RedisKeys.DOUBTS, "planted");
        EventBatch batch = batch();

        await().atMost(PATIENCE).until(() -> sentence(RedisLink.REDIS).contains(RedisKeys.DOUBTS));
        assertWaitsFor(RedisKeys.DOUBTS, batch);

        redis.run("DEL", RedisKeys.DOUBTS);
        await().atMost(PATIENCE).until(() -> !isMissing(RedisLink.REDIS));
        assertEquals(1, totalAfter(batch));
    }

    @Test
    void write_commitMarkerOfAnotherType_waitsAndCountsOnceItIsMended() {
        write(batch());
        String marker = redis.keys("flagtally:commit:*").get(0);
        redis.run("DEL", marker);
        redis.run("LPUSH", marker, "planted");
        EventBatch batch = batch();

        assertWaitsFor(marker, batch);

        redis.run("DEL", marker);
        await().atMost(PATIENCE).until(() -> !isMissing(RedisLink.REDIS));
        assertEquals(2, totalAfter(batch));
    }

    @Test
    void write_evictionAllowed_cannotAcceptUntilItIsNot() {
        redis.run("CONFIG", "SET", "maxmemory-policy", "volatile-lru");

        link.open().await().atMost(PATIENCE);

        assertTrue(sentence(RedisInstallation.EVICTION).contains("volatile-lru"));
        redis.run("CONFIG", "SET", "maxmemory-policy", "noeviction");
        await().atMost(PATIENCE).until(() -> !isMissing(RedisInstallation.EVICTION));
    }

    @Test
    void open_otherTimeZoneThanStored_isForeignAndWritesNothing() {
        write(batch());
        BucketCalendar tokyo = new BucketCalendar(ZoneId.of("Asia/Tokyo"));
        List<UnfitRedisException> foreign = new ArrayList<>();
        RedisLink other = redis.link(redis.server.port(), tokyo, TIMEOUT, availability);
        other.onUnfit(foreign::add);
        RedisCountSink otherSink = new RedisCountSink(
                other,
                new RedisKeys(false),
                tokyo,
                CountRules.DEFAULT,
                InstantSource.fixed(NOW),
                new SimpleMeterRegistry());

        assertThrows(
                StoreUnavailableException.class,
                () -> otherSink
                        .write(EventBatch.of(tokyo, batch().events()))
                        .await()
                        .atMost(PATIENCE));

        assertFalse(foreign.isEmpty());
        String sentence = String.valueOf(foreign.get(0).getMessage());
        assertAll(
                () -> assertTrue(sentence.contains("flagtally.time.zone"), sentence),
                () -> assertTrue(sentence.contains("Asia/Tokyo"), sentence),
                () -> assertEquals(1, redis.sum("ec:*")));
    }

    @Test
    void open_sameTimeZoneByAnotherName_isOurs() {
        write(batch());
        RedisLink other =
                redis.link(redis.server.port(), new BucketCalendar(ZoneId.of("Etc/UTC")), TIMEOUT, availability);

        other.open().await().atMost(PATIENCE);

        assertFalse(isMissing(RedisLink.REDIS));
    }

    private EventBatch batch() {
        return EventBatch.of(UTC, List.of(RandomEvents.evaluation(made.id(), "f", "v", "u", NOW)));
    }

    /** A store that is away is what the pipeline waits for; any other failure it blames on the events. */
    private void assertWaitsFor(String key, EventBatch batch) {
        assertThrows(StoreUnavailableException.class, () -> write(batch));

        await().atMost(PATIENCE).until(() -> sentence(RedisLink.REDIS).contains(key));
    }

    private BatchOutcome write(EventBatch batch) {
        return sink.write(batch).await().atMost(PATIENCE);
    }

    private long totalAfter(EventBatch batch) {
        write(batch);
        return redis.sum("ec:*");
    }

    private boolean isMissing(String what) {
        return availability.missing(Work.ACCEPT).containsKey(what);
    }

    private String sentence(String what) {
        return availability.missing(Work.ACCEPT).getOrDefault(what, "");
    }
}
