package io.flagtally.retail;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.packaged.ServiceProcess;
import io.flagtally.platform.embedded.EmbeddedServers;
import io.flagtally.platform.embedded.EmbeddedStores.Running;
import io.flagtally.platform.embedded.EmbeddedStores.Wanted;
import io.flagtally.platform.embedded.LoopbackPort;
import io.flagtally.proof.FaultProxy;
import io.flagtally.replay.ReplayOptions.Pace;
import io.flagtally.replay.ReplayReport;
import io.flagtally.testing.RedisServerForTests;
import io.flagtally.testing.TestData;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A proxy between the packaged service and its Redis cuts, stalls and loses replies at random, and service and Redis are
 * killed at random moments, all during a replay. Redis writes each reply to disk first, so nothing may be lost.
 */
class RedisFaultsIT {

    private static final Logger LOG = Logger.getLogger(RedisFaultsIT.class);
    private static final long LINES = 60_000;
    private static final long LINES_WITHOUT_PROTECTION = 20_000;
    private static final Duration PATIENCE = Duration.ofSeconds(80);
    private static final Pace PACE = new Pace(100, 4_000, 4, Duration.ofSeconds(70));

    private final long seed = Long.getLong("flagtally.faults.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private final Instant until = Instant.now().truncatedTo(ChronoUnit.SECONDS);
    private final List<AutoCloseable> open = new ArrayList<>();
    private RetailFile file;
    private RedisServerForTests redis;
    private FaultProxy proxy;
    private String postgresUrl;

    @BeforeEach
    void start() throws Exception {
        LOG.infof("Faults of seed %d (-Dflagtally.faults.seed)", seed);
        file = RetailFile.find();
        redis = opened(RedisServerForTests.start());
        proxy = opened(FaultProxy.to(redis.port()));
        Running stores = opened(new EmbeddedServers()
                .start(new Wanted(TestData.newDirectory("faults-stores"), TestData.binaries(), true, false)));
        postgresUrl = stores.postgresUrl().orElseThrow();
    }

    @AfterEach
    void stop() throws Exception {
        for (int i = open.size() - 1; i >= 0; i--) {
            open.get(i).close();
        }
    }

    @Test
    void replay_faultsAndKills_countsEachEventOnce() throws Exception {
        RetailCounts expected = RetailCounts.of(file, LINES, until, Replays.SPAN);
        Path home = TestData.newDirectory("faults");
        int port = LoopbackPort.free();
        ServiceProcess service = start(home, port, true);

        FaultyRun run = replay(service, LINES);
        try (RandomFaults faults = RandomFaults.on(proxy, seed)) {
            killRedisAfter(run, expected.events() / 10);
            run.await(at(expected, 0.2, 0.4));
            service.kill();
            service = start(home, port, true);
            killRedisAfter(run, at(expected, 0.5, 0.7));
        }
        ReplayReport report = run.end(PATIENCE);

        assertEquals(expected.events(), report.accepted(), report::text);
        EventCounter counter = readable(service);
        Replays.assertEventsEqual(expected, counter);
        List<String> causes = counter.doubts().stream()
                .map(EventCounter.Doubt::cause)
                .distinct()
                .toList();
        assertEquals(List.of("server-changed"), causes, "Redis was killed, and forgot nothing");
    }

    @Test
    void replay_toTwoInstancesWithFaultsAndKills_countsEachEventOnce() throws Exception {
        RetailCounts expected = RetailCounts.of(file, LINES, until, Replays.SPAN);
        FaultProxy otherProxy = opened(FaultProxy.to(redis.port()));
        Path home = TestData.newDirectory("faults-one");
        int port = LoopbackPort.free();
        ServiceProcess one = launched(home, port, proxy, true);
        ServiceProcess other = launched(TestData.newDirectory("faults-other"), LoopbackPort.free(), otherProxy, true);
        one.awaitReady();
        other.awaitReady();

        // Every event goes to both.
        FaultyRun toOne = replay(one, LINES);
        FaultyRun toOther = replay(other, LINES);
        try (RandomFaults faults = RandomFaults.on(proxy, seed);
                RandomFaults otherFaults = RandomFaults.on(otherProxy, ~seed)) {
            killRedisAfter(toOther, expected.events() / 10);
            toOne.await(at(expected, 0.2, 0.4));
            one.kill();
            one = start(home, port, true);
            killRedisAfter(toOther, at(expected, 0.5, 0.7));
        }

        assertEquals(expected.events(), toOne.end(PATIENCE).accepted());
        assertEquals(expected.events(), toOther.end(PATIENCE).accepted());
        EventCounter counter = readable(one);
        Replays.assertEventsEqual(expected, counter);
        assertEquals(counter.doubts(), readable(other).doubts());
        assertFalse(counter.doubts().isEmpty(), "both tell of the kills");
    }

    @Test
    void replay_lostRepliesWithoutDeduplication_doubles() throws Exception {
        RetailCounts expected = RetailCounts.of(file, LINES_WITHOUT_PROTECTION, until, Replays.SPAN);
        ServiceProcess service = start(TestData.newDirectory("faults-off"), LoopbackPort.free(), false);

        FaultyRun run = replay(service, LINES_WITHOUT_PROTECTION);
        for (int part = 1; part < 4; part++) {
            run.await(expected.events() * part / 4);
            proxy.loseReplies();
            Thread.sleep(200);
            proxy.pass();
        }
        assertEquals(expected.events(), run.end(PATIENCE).accepted());

        long counted = Replays.total(expected, readable(service));
        assertTrue(counted > expected.events(), "without the protection nothing doubled: " + counted);
    }

    private FaultyRun replay(ServiceProcess service, long lines) {
        URI uri = service.uri("");
        return FaultyRun.of(Replays.options(file.path(), uri, until, lines, PACE));
    }

    private void killRedisAfter(FaultyRun run, long events) throws InterruptedException {
        run.await(events);
        redis.kill();
        Thread.sleep(random.nextInt(1_000));
        redis.restart();
    }

    private long at(RetailCounts expected, double from, double to) {
        return (long) (expected.events() * (from + random.nextDouble() * (to - from)));
    }

    private ServiceProcess start(Path home, int port, boolean deduplication) {
        ServiceProcess service = launched(home, port, proxy, deduplication);
        service.awaitReady();
        return service;
    }

    private ServiceProcess launched(Path home, int port, FaultProxy through, boolean deduplication) {
        return opened(FaultyRun.service(home, port, postgresUrl)
                .with("-Dflagtally.redis.url=redis://127.0.0.1:" + through.port())
                .with("-Dflagtally.deduplication.enabled=" + deduplication)
                .launch());
    }

    private static EventCounter readable(ServiceProcess service) {
        EventCounter counter = new EventCounter(service.uri(""));
        await().atMost(Duration.ofSeconds(20)).until(() -> counter.readiness() == 200 && counter.canRead());
        return counter;
    }

    private <T extends AutoCloseable> T opened(T some) {
        open.add(some);
        return some;
    }
}
