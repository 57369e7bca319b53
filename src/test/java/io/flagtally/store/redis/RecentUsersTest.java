package io.flagtally.store.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.event.FlagEvent;
import io.flagtally.pipeline.StoreUnavailableException;
import io.flagtally.platform.Availability;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.EventBatch;
import io.flagtally.testing.RandomEvents;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Users are sent once a minute and connection, and again whenever the store may not have them any more. */
class RecentUsersTest {

    private static final Instant NOON = Instant.parse("2091-11-21T12:30:00Z");
    private static final BucketCalendar UTC = new BucketCalendar(ZoneOffset.UTC);
    private static final String USERS = "uc:" + UTC.dayStart(NOON).getEpochSecond() + ":flag:v0";
    private static final String HOUR_USERS = "uch:" + UTC.hourStart(NOON).getEpochSecond() + ":flag:v0";

    private static RedisSinkFixture redis;
    private final RandomEvents made = new RandomEvents(7);
    private Instant now = NOON;
    private RedisCountSink sink;

    @BeforeAll
    static void start() {
        redis = new RedisSinkFixture();
    }

    @AfterAll
    static void stop() {
        redis.close();
    }

    @BeforeEach
    void open() {
        sink = new RedisCountSink(
                redis.link(redis.server.port(), UTC, Duration.ofSeconds(5), new Availability()),
                new RedisKeys(false),
                UTC,
                CountRules.DEFAULT,
                () -> now,
                new SimpleMeterRegistry());
    }

    @AfterEach
    void clear() {
        redis.clear();
    }

    @Test
    void write_sameUserAgain_isNotSentAgain() {
        write("ann");
        redis.run("DEL", USERS, HOUR_USERS);

        write("ann");

        assertEquals(0, redis.number("EXISTS", USERS, HOUR_USERS));
        assertEquals(2, redis.sum("ec:*"));
    }

    @Test
    void write_anotherUserOrAnotherCounter_isSent() {
        write("ann");
        write("bob");
        write("ann", "other-flag");

        assertEquals(2, redis.number("PFCOUNT", USERS));
        assertEquals(1, redis.number("PFCOUNT", USERS.replace(":flag:", ":other-flag:")));
    }

    @Test
    void write_sameUserAfterAMinute_isSentAgain() {
        write("ann");
        redis.run("DEL", USERS, HOUR_USERS);
        now = now.plus(RecentUsers.REMEMBERED).plusMillis(1);

        write("ann");

        assertEquals(2, redis.number("EXISTS", USERS, HOUR_USERS));
    }

    @Test
    void write_afterTheConnectionWasCut_isSentAgain() {
        write("ann");
        redis.run("DEL", USERS, HOUR_USERS);
        redis.run("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
        assertThrows(StoreUnavailableException.class, () -> write("ann"));

        write("ann");

        assertEquals(2, redis.number("EXISTS", USERS, HOUR_USERS));
    }

    @Test
    void write_afterTheMarkerWentBack_isSentAgain() {
        write("ann");
        String marker = redis.keys("flagtally:commit:*").get(0);
        redis.run("SET", marker, 0, "KEEPTTL");
        redis.run("DEL", USERS, HOUR_USERS);

        assertThrows(StoreUnavailableException.class, () -> write("ann"));
        write("ann");

        assertEquals(1, redis.number("PFCOUNT", USERS));
        assertEquals(1, redis.number("PFCOUNT", HOUR_USERS));
    }

    @Test
    void confirm_ofAFlushFromBeforeADoubt_isNotRemembered() {
        RecentUsers recent = new RecentUsers();
        long before = recent.begin(NOON);
        recent.forget();

        recent.confirm(before, new long[] {7});
        assertFalse(recent.knows(7));

        recent.confirm(recent.begin(NOON), new long[] {7});
        assertTrue(recent.knows(7));
    }

    private void write(String user) {
        write(user, "flag");
    }

    private void write(String user, String flag) {
        FlagEvent event = RandomEvents.evaluation(made.id(), flag, "v0", user, NOON);
        var unused = sink.write(EventBatch.of(UTC, List.of(event))).await().atMost(Duration.ofSeconds(20));
    }
}
