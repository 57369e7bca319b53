package io.flagtally.store.redis;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.EvaluationEvent;
import io.flagtally.event.FlagEvent;
import io.flagtally.event.FlagId;
import io.flagtally.event.Reason;
import io.flagtally.event.SourceId;
import io.flagtally.event.UserId;
import io.flagtally.event.VariationId;
import io.flagtally.pipeline.BatchOutcome;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.EventBatch;
import io.flagtally.testing.RandomEvents;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which keys {@link RedisCountSink} writes, when they expire, and what it does where a key is in the way. */
class RedisCountSinkKeysTest {

    private static final Instant NOW = Instant.parse("2091-11-21T12:30:00Z");
    private static final BucketCalendar UTC = new BucketCalendar(ZoneOffset.UTC);
    private static final String DAY = "3846441600";
    private static final String HOUR = "3846484800";
    private static RedisSinkFixture redis;

    private final RandomEvents made = new RandomEvents(20911121);
    private int user;

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
    void write_threeEventsOfTwoUsers_writesEveryKey() {
        write(event("f", "v", "u1", NOW), event("f", "v", "u1", NOW.plusSeconds(1)), event("f", "v", "u2", NOW));

        assertAll(
                () -> assertEquals("3", redis.text("GET", "ec:" + DAY + ":f:v")),
                () -> assertEquals("3", redis.text("GET", "ech:" + HOUR + ":f:v")),
                () -> assertEquals(2, redis.number("PFCOUNT", "uc:" + DAY + ":f:v")),
                () -> assertEquals(2, redis.number("PFCOUNT", "uch:" + HOUR + ":f:v")),
                () -> assertEquals(3, redis.number("SCARD", "ei:" + HOUR + ":f:v")),
                () -> assertEquals(Long.parseLong(DAY), redis.number("ZSCORE", "catalog:variations:f", "v")),
                () -> assertEquals(NOW.getEpochSecond() + 1, redis.number("ZSCORE", "catalog:flags", "f")),
                () -> assertEquals(
                        NOW.getEpochSecond() + 1, redis.number("ZSCORE", "flagtally:environments", "default")));
    }

    @Test
    void write_laterAndEarlierEvents_catalogsKeepTheLatest() {
        write(event("f", "v", NOW.minusSeconds(86_400)));
        write(event("f", "v", NOW));
        write(event("f", "v", NOW.minusSeconds(2 * 86_400)));
        write(event("f", "v", NOW.plusSeconds(60)));

        assertAll(
                () -> assertEquals(Long.parseLong(DAY), redis.number("ZSCORE", "catalog:variations:f", "v")),
                () -> assertEquals(NOW.getEpochSecond() + 60, redis.number("ZSCORE", "catalog:flags", "f")));
    }

    @Test
    void write_goalsOnly_writesNothing() {
        BatchOutcome outcome = write(List.<FlagEvent>of(made.goal(), made.goal()));

        assertAll(
                () -> assertEquals(new BatchOutcome(0, 0), outcome),
                () -> assertEquals(List.of(), redis.keys("*c*:*:*")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a:b", "{x}", "%3A", "50 %", "größe", "日本語 😀", "*?[a]\\", "ec", "'\"$(x)"})
    void write_anyIds_countsUnderKeysThatCanBeTakenApart(String id) {
        EvaluationEvent event = new EvaluationEvent(
                made.id(),
                new EnvironmentId(id),
                new FlagId(id),
                1,
                new VariationId(id),
                new UserId(id),
                Reason.RULE,
                NOW,
                SourceId.WEB);
        RedisKeys keys = new RedisKeys(false);

        write(event);

        String key = keys.counter(
                RedisKeys.Kind.DAY_EVENTS, event.environment(), event.flag(), event.variation(), UTC.dayStart(NOW));
        assertAll(
                () -> assertEquals("1", redis.text("GET", key)),
                () -> assertEquals("[" + id + "]", redis.text("ZRANGE", keys.flags(event.environment()), 0, -1)),
                () -> assertEquals(
                        "[" + id + "]",
                        redis.text("ZRANGE", keys.variations(event.environment(), event.flag()), 0, -1)));
    }

    @Test
    void write_dayOfTheClockChange_expiresFromTheEndOfTheDay() {
        BucketCalendar berlin = new BucketCalendar(ZoneId.of("Europe/Berlin"));
        // 28 October 2091 has 25 hours in Berlin: 22:00Z the day before to 23:00Z.
        Instant time = Instant.parse("2091-10-28T12:30:00Z");
        Instant dayStart = Instant.parse("2091-10-27T22:00:00Z");
        Instant dayExpiry = Instant.parse("2091-10-28T23:00:00Z").plus(Duration.ofDays(32));
        Instant hourExpiry = Instant.parse("2091-10-28T13:00:00Z").plus(Duration.ofHours(72));

        write(berlin, time, CountRules.DEFAULT, List.of(event("f", "v", time)));

        assertAll(
                () -> assertEquals(dayExpiry, redis.expiry("ec:" + dayStart.getEpochSecond() + ":f:v")),
                () -> assertEquals(dayExpiry, redis.expiry("uc:" + dayStart.getEpochSecond() + ":f:v")),
                () -> assertEquals(hourExpiry, redis.expiry("ech:" + (time.getEpochSecond() - 1800) + ":f:v")),
                () -> assertEquals(hourExpiry, redis.expiry("uch:" + (time.getEpochSecond() - 1800) + ":f:v")));
    }

    @Test
    void write_moreEventsOfAnOldKey_keepsItsExpiry() {
        write(event("f", "v", NOW));
        Instant expiry = redis.expiry("ec:" + DAY + ":f:v");

        write(event("f", "v", NOW.plusSeconds(600)));

        assertEquals(expiry, redis.expiry("ec:" + DAY + ":f:v"));
    }

    @Test
    void write_eventOfAnHourThatIsNoLongerKept_writesTheDayOnly() {
        Instant hour = Instant.parse("2091-11-18T12:00:00Z");
        Instant gone = hour.minusSeconds(1);
        Instant now = hour.plus(Duration.ofHours(72));

        write(UTC, now, CountRules.DEFAULT, List.of(event("f", "v", gone), event("f", "v", hour)));

        assertAll(
                () -> assertEquals(2, redis.sum("ec:*")),
                () -> assertEquals(List.of("ech:" + hour.getEpochSecond() + ":f:v"), redis.keys("ech:*")),
                () -> assertEquals(List.of("uch:" + hour.getEpochSecond() + ":f:v"), redis.keys("uch:*")));
    }

    @Test
    void write_eventOfADayThatIsNoLongerKept_isRejected() {
        Instant dayEnd = Instant.parse("2091-11-22T00:00:00Z");

        BatchOutcome kept =
                write(UTC, dayEnd.plus(Duration.ofDays(32)).minusSeconds(1), CountRules.DEFAULT, events("f", "v", 1));
        BatchOutcome gone = write(UTC, dayEnd.plus(Duration.ofDays(32)), CountRules.DEFAULT, events("f", "v", 1));

        assertAll(
                () -> assertEquals(1, kept.counted()),
                () -> assertEquals(0, gone.counted()),
                () -> assertEquals(
                        ErrorCode.EVENT_TIME_INVALID, gone.rejected().get(0).code()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"ec:" + DAY, "ech:" + HOUR, "uc:" + DAY, "uch:" + HOUR, "ei:" + HOUR})
    void write_keyOfAnotherType_countsNothingAndCountsOnceMended(String planted) {
        EventBatch batch = EventBatch.of(UTC, List.of(event("f", "v", NOW), event("g", "v", NOW)));
        redis.run("RPUSH", planted + ":f:v", "planted");
        Set<String> before = keysWithoutUsersOfTheHour();

        BatchOutcome rejected = write(batch);

        assertAll(
                () -> assertEquals(1, rejected.counted()),
                () -> assertEquals(
                        ErrorCode.COUNTER_UNUSABLE, rejected.rejected().get(0).code()),
                () -> assertTrue(rejected.rejected().get(0).detail().contains(planted + ":f:v")),
                () -> assertEquals(before, keysWithoutUsersOfTheHour()));
        redis.run("DEL", planted + ":f:v");
        assertEquals(new BatchOutcome(1, 1), write(batch));
        assertEquals(2, redis.sum("ec:*"));
    }

    /** The users of the hour may be added before the day refuses its own: adding them again changes nothing. */
    private Set<String> keysWithoutUsersOfTheHour() {
        Set<String> keys = new TreeSet<>(redis.keys("*:f:v"));
        keys.remove("uch:" + HOUR + ":f:v");
        return keys;
    }

    @ParameterizedTest
    @ValueSource(strings = {"9000000000000000000", "9223372036854775807", "-1", "1.5", "abc", "", "01", " 1", "1e3"})
    void write_counterThatCannotBeAddedTo_isRejected(String value) {
        redis.run("SET", "ec:" + DAY + ":f:v", value);

        BatchOutcome outcome = write(event("f", "v", NOW));

        assertAll(
                () -> assertEquals(1, outcome.rejected().size()),
                () -> assertEquals(value, redis.text("GET", "ec:" + DAY + ":f:v")),
                () -> assertEquals(List.of(), redis.keys("ei:*")),
                () -> assertEquals(List.of(), redis.keys("uc*")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "1", "9007199254740993", "8999999999999990000"})
    void write_counterOfAnyOtherSize_isAddedToExactly(String value) {
        redis.run("SET", "ec:" + DAY + ":f:v", value);

        write(event("f", "v", NOW));

        assertEquals(Long.parseLong(value) + 1, redis.number("GET", "ec:" + DAY + ":f:v"));
    }

    @Test
    void write_variationBeyondTheLimit_isRejectedAndKnownOnesCount() {
        CountRules rules = new CountRules(true, Duration.ofHours(24), 3, 100);
        List<FlagEvent> events = new ArrayList<>();
        for (String variation : List.of("v1", "v2", "v3")) {
            events.addAll(events("f", variation, 1));
        }
        write(UTC, NOW, rules, events);

        BatchOutcome outcome =
                write(UTC, NOW, rules, List.of(event("f", "v4", NOW), event("f", "v1", NOW), event("g", "v4", NOW)));

        assertAll(
                () -> assertEquals(2, outcome.counted()),
                () -> assertEquals(
                        ErrorCode.CARDINALITY, outcome.rejected().get(0).code()),
                () -> assertEquals(List.of(), redis.keys("*:f:v4")));
    }

    @Test
    void write_newVariationWhereAllOthersAreLongGone_takesTheirPlace() {
        CountRules rules = new CountRules(true, Duration.ofHours(24), 2, 2);
        Instant past = NOW.minus(Duration.ofDays(60));
        write(UTC, past, rules, List.of(event("f", "v1", past), event("f", "v2", past), event("g", "v1", past)));

        BatchOutcome outcome = write(UTC, NOW, rules, List.of(event("f", "v3", NOW), event("h", "v", NOW)));

        assertAll(
                () -> assertEquals(new BatchOutcome(2, 0), outcome),
                () -> assertEquals("[v3]", redis.text("ZRANGE", "catalog:variations:f", 0, -1)),
                () -> assertEquals("[f, h]", redis.text("ZRANGE", "catalog:flags", 0, -1)));
    }

    @Test
    void write_flagBeyondTheLimit_isRejectedAndNotListed() {
        CountRules rules = new CountRules(true, Duration.ofHours(24), 100, 2);

        BatchOutcome first = write(UTC, NOW, rules, List.of(event("f1", "v", NOW), event("f2", "v", NOW)));
        BatchOutcome second = write(UTC, NOW, rules, List.of(event("f3", "v", NOW), event("f1", "w", NOW)));

        assertAll(
                () -> assertEquals(2, first.counted()),
                () -> assertEquals(1, second.counted()),
                () -> assertEquals(
                        ErrorCode.CARDINALITY, second.rejected().get(0).code()),
                () -> assertEquals(2, redis.number("ZCARD", "catalog:flags")));
    }

    private EvaluationEvent event(String flag, String variation, Instant time) {
        return event(flag, variation, "u" + user++, time);
    }

    private EvaluationEvent event(String flag, String variation, String userId, Instant time) {
        return RandomEvents.evaluation(made.id(), flag, variation, userId, time);
    }

    private List<FlagEvent> events(String flag, String variation, int count) {
        List<FlagEvent> events = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            events.add(event(flag, variation, NOW));
        }
        return events;
    }

    private static BatchOutcome write(FlagEvent... events) {
        return write(List.of(events));
    }

    private static BatchOutcome write(List<FlagEvent> events) {
        return write(UTC, NOW, CountRules.DEFAULT, events);
    }

    private static BatchOutcome write(EventBatch batch) {
        return write(UTC, NOW, CountRules.DEFAULT, batch.events());
    }

    private static BatchOutcome write(
            BucketCalendar calendar, Instant now, CountRules rules, List<? extends FlagEvent> events) {
        return redis.sink(redis.server.port(), calendar, rules, now, Duration.ofSeconds(5))
                .write(EventBatch.of(calendar, events))
                .await()
                .atMost(Duration.ofSeconds(20));
    }
}
