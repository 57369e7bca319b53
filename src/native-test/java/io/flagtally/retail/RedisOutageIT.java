package io.flagtally.retail;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.packaged.ServiceProcess;
import io.flagtally.replay.Replay;
import io.flagtally.replay.ReplayEvent;
import io.flagtally.replay.ReplayOptions.Pace;
import io.flagtally.replay.ReplayReport;
import io.flagtally.testing.RedisServerForTests;
import io.flagtally.testing.TestData;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Redis goes away for 20 seconds in the middle of a replay and comes back. */
class RedisOutageIT {

    private static final long LINES = 60_000;
    private static final Duration OUTAGE = Duration.ofSeconds(20);
    private static final Duration ANSWER_MAX = Duration.ofSeconds(5);
    /** What this machine may take on top, to carry an answer from one busy process to another. */
    private static final Duration SLACK = Duration.ofSeconds(3);

    private static final Duration PATIENCE = Duration.ofSeconds(40);

    /** How Redis goes away. */
    enum Outage {
        /** Connections stay open, nothing is answered. */
        FROZEN(RedisServerForTests::pause, RedisServerForTests::resume),
        /** Connections are refused. */
        STOPPED(RedisServerForTests::stop, RedisServerForTests::restart);

        private final Consumer<RedisServerForTests> begin;
        private final Consumer<RedisServerForTests> end;

        Outage(Consumer<RedisServerForTests> begin, Consumer<RedisServerForTests> end) {
            this.begin = begin;
            this.end = end;
        }
    }

    /** What clients saw. */
    private static final class Seen implements Replay.Listener {
        private final AtomicLong acknowledged = new AtomicLong();
        private final AtomicLong unavailable = new AtomicLong();
        private final AtomicLong withoutRetryAfter = new AtomicLong();
        private final AtomicLong slowestMillis = new AtomicLong();

        @Override
        public void attempted(int status, Duration took, boolean saysRetryAfter) {
            slowestMillis.accumulateAndGet(took.toMillis(), Math::max);
            if (status == 503) {
                unavailable.incrementAndGet();
                withoutRetryAfter.addAndGet(saysRetryAfter ? 0 : 1);
            }
        }

        @Override
        public void acknowledged(List<ReplayEvent> events) {
            acknowledged.addAndGet(events.size());
        }
    }

    @ParameterizedTest
    @EnumSource
    void redisAway_duringAReplay_isSaidAndLosesNothing(Outage outage) throws Exception {
        Instant until = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        RetailFile file = RetailFile.find();
        RetailCounts expected = RetailCounts.of(file, LINES, until, Replays.SPAN);
        try (RedisServerForTests redis = RedisServerForTests.start();
                ServiceProcess service = start(redis)) {
            EventCounter counter = new EventCounter(service.uri(""));
            Seen seen = new Seen();
            Pace pace = new Pace(200, 3_000, 4, Duration.ofMinutes(3));
            CompletableFuture<ReplayReport> replay =
                    inBackground(new Replay(Replays.options(file.path(), service.uri(""), until, LINES, pace), seen));
            await().atMost(PATIENCE).until(() -> seen.acknowledged.get() > 5_000);

            long acknowledgedBefore = goAway(outage, redis, seen, counter);
            assertTrue(acknowledgedBefore < expected.events(), "the outage came when everything was sent");
            outage.end.accept(redis);
            await("readiness").atMost(PATIENCE).until(() -> counter.readiness() == 200);
            ReplayReport report = replay.get(3, TimeUnit.MINUTES);

            assertEquals(expected.events(), report.accepted(), report::text);
            assertEquals(0, seen.withoutRetryAfter.get(), "503 without Retry-After");
            assertTrue(
                    seen.slowestMillis.get() <= ANSWER_MAX.plus(SLACK).toMillis(),
                    "a client waited " + seen.slowestMillis + " ms");
            Replays.assertEventsEqual(expected, counter);
        }
    }

    /** Takes Redis away, watches what clients are told for the length of the outage, and returns what was acknowledged. */
    private static long goAway(Outage outage, RedisServerForTests redis, Seen seen, EventCounter counter) {
        long gone = System.nanoTime();
        outage.begin.accept(redis);
        await("503").atMost(ANSWER_MAX.plus(SLACK)).until(() -> seen.unavailable.get() > 0);
        await("unreadiness").atMost(ANSWER_MAX.plus(SLACK)).until(() -> counter.readiness() == 503);
        await().atMost(OUTAGE.plus(SLACK)).until(() -> System.nanoTime() - gone >= OUTAGE.toNanos());
        assertEquals(503, readiness(counter), "readiness at the end of the outage");
        return seen.acknowledged.get();
    }

    private static int readiness(EventCounter counter) {
        try {
            return counter.readiness();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static CompletableFuture<ReplayReport> inBackground(Replay replay) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return replay.run();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
    }

    /** With a Redis of our own there is no default key, and no default address either. */
    private static ServiceProcess start(RedisServerForTests redis) {
        return ServiceProcess.in(TestData.newDirectory("retail-outage"))
                .with("-Xmx256m")
                .with("-Dquarkus.http.host=127.0.0.1")
                .with("-Dflagtally.redis.url=" + redis.url())
                .with("-Dflagtally.security.api-keys.test.key=local")
                .with("-Dflagtally.security.api-keys.test.roles=SDK_SERVER,READ_ONLY")
                .ready();
    }
}
