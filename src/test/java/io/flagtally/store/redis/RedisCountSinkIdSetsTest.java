package io.flagtally.store.redis;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.event.FlagEvent;
import io.flagtally.pipeline.BatchOutcome;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.EventBatch;
import io.flagtally.testing.RandomEvents;
import io.vertx.mutiny.redis.client.Response;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How {@link RedisCountSink} keeps the ids it has counted: exactly, in sets that stay compact. */
class RedisCountSinkIdSetsTest {

    private static final Instant HOUR = Instant.parse("2091-11-21T12:00:00Z");
    private static final BucketCalendar UTC = new BucketCalendar(ZoneOffset.UTC);
    private static final int FULL = 512;
    private static RedisSinkFixture redis;

    private final RandomEvents made = new RandomEvents(512);
    private final Random random = new Random(512);

    @BeforeAll
    static void start() {
        redis = new RedisSinkFixture();
        // The least compact server: any set of integers above its default is a hash table.
        redis.run("CONFIG", "SET", "set-max-intset-entries", FULL);
    }

    @AfterAll
    static void stop() {
        redis.close();
    }

    @AfterEach
    void clear() {
        redis.clear();
    }

    @ParameterizedTest
    @CsvSource({
        // events, seconds they spread over, events a batch
        "512, 3600, 100",
        "600, 3600, 600",
        "600, 3600, 7",
        "5000, 3600, 5000",
        "5000, 3600, 333",
        "5000, 60, 900",
        "5000, 1, 900",
        "5000, 1, 5000",
        "100000, 3600, 10000",
        "100000, 60, 10000",
        "100000, 1, 10000"
    })
    void write_manyEventsThenAgain_countsExactlyInCompactSets(int count, int seconds, int batchSize) {
        RedisCountSink sink = sink(CountRules.DEFAULT);
        List<FlagEvent> events = events(count, seconds);

        BatchOutcome first = write(sink, events, batchSize);
        Collections.shuffle(events, random);
        BatchOutcome again = write(sink, events, batchSize);

        assertAll(
                () -> assertEquals(new BatchOutcome(count, 0), first),
                () -> assertEquals(new BatchOutcome(0, count), again),
                () -> assertEquals(count, redis.sum("ec:*")),
                () -> assertEquals(count, redis.sum("ech:*")),
                () -> assertEquals(count, ids("ei*")));
        assertCompact("ei:*");
        assertCompact("eim:*");
    }

    @Test
    void write_newOnesAmongKnownOnesOnEveryLevel_countsTheNewOnes() {
        RedisCountSink sink = sink(CountRules.DEFAULT);
        List<FlagEvent> events = events(3_000, 90);
        write(sink, events, 3_000);
        List<FlagEvent> mixed = new ArrayList<>(events(1_000, 3_600));
        mixed.addAll(events.subList(0, 1_500));
        Collections.shuffle(mixed, random);

        BatchOutcome outcome = write(sink, mixed, 2_500);

        assertAll(
                () -> assertEquals(new BatchOutcome(1_000, 1_500), outcome),
                () -> assertEquals(4_000, redis.sum("ec:*")));
    }

    @Test
    void write_concurrentlyFromTwoSinksOnFullSets_countsEachOnce() {
        RedisCountSink one = sink(CountRules.DEFAULT);
        RedisCountSink other = sink(CountRules.DEFAULT);
        List<FlagEvent> events = events(20_000, 120);
        var writes = new ArrayList<io.smallrye.mutiny.Uni<BatchOutcome>>();
        for (int from = 0; from < events.size(); from += 500) {
            EventBatch batch = EventBatch.of(UTC, events.subList(from, from + 500));
            writes.add(one.write(batch));
            writes.add(other.write(batch));
        }

        io.smallrye.mutiny.Uni.join().all(writes).andFailFast().await().atMost(Duration.ofSeconds(30));

        assertEquals(20_000, redis.sum("ec:*"));
    }

    @Test
    void write_afterASinkThatRecognisesForLonger_doesNotForgetEarlier() {
        RedisCountSink sink = sink(CountRules.DEFAULT);
        write(sink.recognisingFor(Duration.ofDays(31)), events(FULL * 2 + 1, 1), 5_000);

        write(sink, events(FULL, 1), 5_000);

        assertEquals(3, redis.keys("ei*").size());
        redis.keys("ei*").forEach(key -> assertTrue(redis.number("TTL", key) > 30 * 86_400, key));
    }

    @Test
    void write_addedOnALowerLevel_keepsTheSetsAboveAsLong() {
        RedisCountSink sink = sink(CountRules.DEFAULT);
        write(sink, events(FULL * 2 + 1, 1), 5_000);
        redis.keys("ei*").forEach(key -> redis.run("EXPIRE", key, 100));

        write(sink, events(1, 1), 1);

        assertEquals(3, redis.keys("ei*").size());
        redis.keys("ei*").forEach(key -> assertTrue(redis.number("TTL", key) > 80_000, key));
    }

    @Test
    void write_nothingNew_leavesTheExpiryAlone() {
        RedisCountSink sink = sink(CountRules.DEFAULT);
        List<FlagEvent> events = events(10, 10);
        write(sink, events, 10);
        redis.keys("ei*").forEach(key -> redis.run("EXPIRE", key, 100));

        write(sink, events, 10);

        redis.keys("ei*").forEach(key -> assertTrue(redis.number("TTL", key) <= 100, key));
    }

    @Test
    void write_windowConfigured_isTheExpiryOfTheIds() {
        CountRules rules = new CountRules(true, Duration.ofMinutes(5), 100, 100);

        write(sink(rules), events(10, 1), 10);

        redis.keys("ei*").forEach(key -> {
            long millis = redis.number("PTTL", key);
            assertTrue(millis > Duration.ofMinutes(10).toMillis(), () -> key + " for " + millis + " ms");
            assertTrue(millis <= Duration.ofMinutes(11).toMillis(), () -> key + " for " + millis + " ms");
        });
    }

    @Test
    void write_setThatWouldExpireAnInstantTooEarly_isRenewed() {
        RedisCountSink sink = sink(CountRules.DEFAULT);
        write(sink, events(10, 1), 10);
        long least = CountRules.DEFAULT.idsKept().toMillis();
        redis.keys("ei*").forEach(key -> redis.run("PEXPIRE", key, least - 10));

        write(sink, events(1, 1), 1);

        redis.keys("ei*").forEach(key -> assertTrue(redis.number("PTTL", key) > least, key));
    }

    @Test
    void write_onAllLevelsAgainAndAgain_noSetExpiresBeforeThoseBelowIt() {
        RedisCountSink sink = sink(CountRules.DEFAULT);
        long least = CountRules.DEFAULT.idsKept().toMillis();
        for (int round = 0; round < 20; round++) {
            write(sink, events(FULL / 4, 1), FULL);
            long left = least - 20;
            for (String set : List.of("eis:", "eim:", "ei:")) {
                left += random.nextInt(20);
                redis.run("PEXPIRE", set + HOUR.getEpochSecond() + ":f:v", left);
            }

            write(sink, events(1, 1), 1);

            long[] expiries = expiries();
            assertTrue(expiries[0] >= expiries[1] && expiries[1] >= expiries[2], () -> Arrays.toString(expiries));
        }
    }

    /** What is left to the set of the hour, of its first minute and its first second, as of one moment; 0 without one. */
    private static long[] expiries() {
        String script =
                "local left = {} for i, key in ipairs(KEYS) do left[i] = redis.call('PTTL', key) end return left";
        String tail = HOUR.getEpochSecond() + ":f:v";
        Response left =
                Objects.requireNonNull(redis.run("EVAL", script, 3, "ei:" + tail, "eim:" + tail, "eis:" + tail));
        return IntStream.range(0, 3)
                .mapToLong(i -> Math.max(0, left.get(i).toLong()))
                .toArray();
    }

    @Test
    void write_lowerSetOfAnotherType_changesNothing() {
        RedisCountSink sink = sink(CountRules.DEFAULT);
        write(sink, events(FULL, 1), FULL);
        redis.run("SET", "eim:" + HOUR.getEpochSecond() + ":f:v", "planted");

        BatchOutcome outcome = write(sink, events(20, 1), 20);

        assertAll(
                () -> assertEquals(20, outcome.rejected().size()),
                () -> assertEquals(FULL, redis.sum("ec:*")),
                () -> assertEquals(FULL, redis.number("SCARD", "ei:" + HOUR.getEpochSecond() + ":f:v")));
    }

    @Test
    void write_withoutRecognition_keepsNoIds() {
        CountRules rules = new CountRules(false, Duration.ofHours(24), 100, 100);

        write(sink(rules), events(10, 1), 10);

        assertAll(() -> assertEquals(List.of(), redis.keys("ei*")), () -> assertEquals(10, redis.sum("ec:*")));
    }

    private static void assertCompact(String pattern) {
        redis.keys(pattern).forEach(key -> {
            assertEquals("intset", redis.text("OBJECT", "ENCODING", key), key);
            assertTrue(redis.number("SCARD", key) <= FULL, key);
        });
    }

    private static long ids(String pattern) {
        return redis.keys(pattern).stream()
                .mapToLong(key -> redis.number("SCARD", key))
                .sum();
    }

    private List<FlagEvent> events(int count, int seconds) {
        List<FlagEvent> events = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            events.add(RandomEvents.evaluation(
                    made.id(), "f", "v", "u" + random.nextInt(20_000), HOUR.plusSeconds(random.nextInt(seconds))));
        }
        return events;
    }

    private static RedisCountSink sink(CountRules rules) {
        return redis.sink(redis.server.port(), UTC, rules, HOUR, Duration.ofSeconds(10));
    }

    private static BatchOutcome write(RedisCountSink sink, List<FlagEvent> events, int batchSize) {
        BatchOutcome outcome = new BatchOutcome(0, 0);
        for (int from = 0; from < events.size(); from += batchSize) {
            EventBatch batch = EventBatch.of(UTC, events.subList(from, Math.min(from + batchSize, events.size())));
            outcome = outcome.plus(sink.write(batch).await().atMost(Duration.ofSeconds(20)));
        }
        return outcome;
    }
}
