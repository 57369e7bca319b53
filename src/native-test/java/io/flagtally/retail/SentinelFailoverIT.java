package io.flagtally.retail;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.packaged.ServiceProcess;
import io.flagtally.platform.embedded.EmbeddedServers;
import io.flagtally.platform.embedded.EmbeddedStores.Running;
import io.flagtally.platform.embedded.EmbeddedStores.Wanted;
import io.flagtally.platform.embedded.LoopbackPort;
import io.flagtally.proof.FaultProxy;
import io.flagtally.replay.ReplayOptions.Pace;
import io.flagtally.testing.TestData;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The master dies during a replay, when its replica has lagged behind for a second, and sentinels make the replica the
 * master.
 */
@Tag("installed-servers")
class SentinelFailoverIT {

    private static final Logger LOG = Logger.getLogger(SentinelFailoverIT.class);
    private static final long LINES = 40_000;
    private static final Duration LAG = Duration.ofMillis(1_000);
    private static final Duration PATIENCE = Duration.ofSeconds(70);
    private static final Pace PACE = new Pace(100, 4_000, 4, Duration.ofSeconds(60));

    private final Instant until = Instant.now().truncatedTo(ChronoUnit.SECONDS);
    private final List<AutoCloseable> open = new ArrayList<>();
    private final List<InstalledRedis> sentinels = new ArrayList<>();
    private RetailFile file;
    private RetailCounts expected;
    private InstalledRedis master;
    private InstalledRedis replica;
    private FaultProxy replication;
    private String postgresUrl;

    @BeforeEach
    void start() throws Exception {
        file = RetailFile.find();
        expected = RetailCounts.of(file, LINES, until, Replays.SPAN);
        master = opened(InstalledRedis.server());
        replication = opened(FaultProxy.to(master.port()));
        replica = opened(InstalledRedis.server("replicaof 127.0.0.1 " + replication.port()));
        for (int i = 0; i < 3; i++) {
            sentinels.add(opened(InstalledRedis.sentinel(master, 2)));
        }
        await().atMost(PATIENCE).until(() -> sentinels.stream().allMatch(SentinelFailoverIT::knowsAll));
        Running stores = opened(new EmbeddedServers()
                .start(new Wanted(TestData.newDirectory("sentinel-stores"), TestData.binaries(), true, false)));
        postgresUrl = stores.postgresUrl().orElseThrow();
    }

    @AfterEach
    void stop() throws Exception {
        for (int i = open.size() - 1; i >= 0; i--) {
            open.get(i).close();
        }
    }

    @Test
    void failover_durabilityLocal_namesTheIntervalOfWhatTheReplicaLacked() throws Exception {
        ServiceProcess service = service("local");
        FaultyRun run = replay(service);

        run.await(expected.events() / 3);
        replication.loseReplies();
        Thread.sleep(LAG.toMillis());
        master.kill();
        assertEquals(expected.events(), run.end(PATIENCE).accepted());

        EventCounter counter = new EventCounter(service.uri(""));
        long lost = expected.events() - Replays.total(expected, counter);
        LOG.infof("The failover lost %d events; %s", lost, counter.doubts());
        assertTrue(lost > 0, "nothing was lost, so nothing was shown");
        await().atMost(PATIENCE).until(() -> counter.doubts().stream().anyMatch(SentinelFailoverIT::isLoss));
        EventCounter.Doubt doubt = counter.doubts().stream()
                .filter(SentinelFailoverIT::isLoss)
                .findFirst()
                .orElseThrow();
        long inDoubt = run.acknowledgedBetween(doubt.from(), doubt.to());
        assertTrue(inDoubt >= lost, inDoubt + " events were acknowledged in the interval, " + lost + " lost");
        assertTrue(inDoubt < expected.events() / 2, inDoubt + " events are in doubt, " + lost + " lost");

        assertEquals(expected.events(), replay(service).end(PATIENCE).accepted());
        Replays.assertEventsEqual(expected, counter);
    }

    @Test
    void failover_durabilityReplica_losesNothing() throws Exception {
        ServiceProcess service = service("replica");
        FaultyRun run = replay(service);

        run.await(expected.events() / 3);
        replication.loseReplies();
        Thread.sleep(LAG.toMillis());
        master.kill();
        await().atMost(PATIENCE).until(() -> replica.run("ROLE").startsWith("master"));
        long acknowledged = run.acknowledged();
        master.start();
        assertEquals(expected.events(), run.end(PATIENCE).accepted());

        assertTrue(acknowledged < expected.events(), "the failover came when everything was sent");
        EventCounter counter = new EventCounter(service.uri(""));
        Replays.assertEventsEqual(expected, counter);
        assertEquals(
                List.of("server-changed"),
                counter.doubts().stream()
                        .map(EventCounter.Doubt::cause)
                        .distinct()
                        .toList());
    }

    private static boolean isLoss(EventCounter.Doubt doubt) {
        return doubt.cause().equals("marker-went-back");
    }

    private static boolean knowsAll(InstalledRedis sentinel) {
        String says = sentinel.run("INFO", "sentinel");
        return says.contains("slaves=1") && says.contains("sentinels=3");
    }

    private ServiceProcess service(String durability) {
        String urls = sentinels.stream().map(InstalledRedis::url).collect(Collectors.joining(","));
        return opened(FaultyRun.service(TestData.newDirectory("sentinel"), LoopbackPort.free(), postgresUrl)
                .with("-Dflagtally.redis.topology=sentinel")
                .with("-Dflagtally.redis.sentinel.master-name=counts")
                .with("-Dflagtally.redis.url=" + urls)
                .with("-Dflagtally.redis.durability=" + durability)
                .ready());
    }

    private FaultyRun replay(ServiceProcess service) {
        return FaultyRun.of(Replays.options(file.path(), service.uri(""), until, LINES, PACE));
    }

    private <T extends AutoCloseable> T opened(T some) {
        open.add(some);
        return some;
    }
}
