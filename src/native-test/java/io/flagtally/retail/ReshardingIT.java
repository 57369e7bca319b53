package io.flagtally.retail;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.event.FlagEvent;
import io.flagtally.packaged.ServiceProcess;
import io.flagtally.pipeline.BatchOutcome;
import io.flagtally.pipeline.StoreUnavailableException;
import io.flagtally.platform.Availability;
import io.flagtally.platform.embedded.LoopbackPort;
import io.flagtally.platform.redis.RedisDurability;
import io.flagtally.platform.redis.RedisPlace;
import io.flagtally.platform.redis.RedisTopology;
import io.flagtally.replay.ReplayOptions;
import io.flagtally.replay.ReplayOptions.Columns;
import io.flagtally.replay.ReplayOptions.Move;
import io.flagtally.replay.ReplayOptions.Pace;
import io.flagtally.replay.ReplayOptions.Times;
import io.flagtally.replay.ReplayReport;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.EventBatch;
import io.flagtally.store.redis.CountRules;
import io.flagtally.store.redis.RedisCountSink;
import io.flagtally.store.redis.RedisKeys;
import io.flagtally.store.redis.RedisLink;
import io.flagtally.testing.RandomEvents;
import io.flagtally.testing.TestData;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.mutiny.core.Vertx;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The packaged service counts in a Redis Cluster of three masters, and the slots of the hottest flags move from master to
 * master all the time. The events of a year become those of one hour, so that a flag has ids in sets of all levels.
 */
@Tag("installed-servers")
class ReshardingIT {

    private static final Logger LOG = Logger.getLogger(ReshardingIT.class);
    private static final long LINES = 60_000;
    private static final Duration SPAN = Duration.ofHours(1);
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final Pace PACE = new Pace(100, 4_000, 4, Duration.ofSeconds(80));
    private static final List<String> HOT_FLAGS = List.of("United Kingdom", "France", "EIRE");
    private static final Duration BETWEEN_MOVES = Duration.ofMillis(500);
    private static final int MOVES_MIN = 6;

    @Test
    void replay_slotsOfItsFlagsMove_countsEachEventOnce() throws Exception {
        Instant until = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        RetailFile file = RetailFile.find();
        try (InstalledCluster cluster = InstalledCluster.start();
                ServiceProcess service = service(cluster)) {
            ReplayOptions options = options(file, service.uri(""), until);
            FaultyRun run = FaultyRun.of(options);

            run.await(5_000);
            int moves = 0;
            int keys = 0;
            while (!run.isOver()) {
                String flag = HOT_FLAGS.get(moves % HOT_FLAGS.size());
                keys += cluster.move(cluster.slotOf("{" + flag + "}"));
                moves++;
                Thread.sleep(BETWEEN_MOVES.toMillis());
            }
            ReplayReport report = run.end(PATIENCE);
            // What clients repeat is recognised, wherever its ids are by now.
            assertEquals(report.accepted(), FaultyRun.of(options).end(PATIENCE).accepted());

            LOG.infof("%d slots with %d keys moved during the replay", moves, keys);
            assertTrue(moves >= MOVES_MIN, "only " + moves + " slots moved during the replay");
            assertEquals(0, report.unansweredTotal(), report::text);
            EventCounter counter = new EventCounter(service.uri(""));
            Replays.assertEventsEqual(run.counts(), counter);
            assertEquals(List.of(), counter.doubts());
        }
    }

    /** The state in which a script of the new master sees a flag's counters, but not all of its ids. */
    @Test
    void write_slotHalfMoved_countsNothingTwice() {
        BucketCalendar utc = new BucketCalendar(ZoneOffset.UTC);
        Instant now = Instant.now();
        EventBatch batch = manyOfAnHour(utc, now.minus(2, ChronoUnit.HOURS).truncatedTo(ChronoUnit.HOURS));
        Vertx vertx = Vertx.vertx();
        try (InstalledCluster cluster = InstalledCluster.start();
                RedisLink link = new RedisLink(
                        vertx,
                        new RedisPlace(
                                RedisTopology.CLUSTER, List.of(cluster.urls().split(",")), ""),
                        Duration.ofSeconds(3),
                        ZoneOffset.UTC,
                        RedisDurability.LOCAL,
                        InstantSource.system(),
                        new SimpleMeterRegistry(),
                        new Availability())) {
            RedisCountSink sink = new RedisCountSink(
                    link,
                    new RedisKeys(true),
                    utc,
                    CountRules.DEFAULT,
                    InstantSource.fixed(now),
                    new SimpleMeterRegistry());
            assertEquals(batch.size(), write(sink, batch).counted());

            InstalledCluster.Migration migration = cluster.begin(cluster.slotOf("{flag}"));
            assertTrue(migration.moveKeys(key -> !key.startsWith("eim:")) > 4, "the counters and the ids of the hour");
            assertThrows(StoreUnavailableException.class, () -> write(sink, batch));
            assertTrue(migration.moveKeys(key -> true) > 10, "the ids of minutes");
            migration.finish();

            assertEquals(new BatchOutcome(0, batch.size()), write(sink, batch));
        } finally {
            vertx.closeAndAwait();
        }
    }

    private static EventBatch manyOfAnHour(BucketCalendar calendar, Instant hour) {
        RandomEvents made = new RandomEvents(5);
        List<FlagEvent> events = new ArrayList<>();
        for (int i = 0; i < 3_000; i++) {
            events.add(RandomEvents.evaluation(made.id(), "flag", "on", "user-" + i, hour.plusSeconds(i)));
        }
        return EventBatch.of(calendar, events);
    }

    private static BatchOutcome write(RedisCountSink sink, EventBatch batch) {
        return sink.write(batch).await().atMost(PATIENCE);
    }

    private static ServiceProcess service(InstalledCluster cluster) {
        return ServiceProcess.in(TestData.newDirectory("resharding"))
                .port(LoopbackPort.free())
                .with("-Xmx256m")
                .with("-Dquarkus.http.host=127.0.0.1")
                .with("-Dflagtally.redis.topology=cluster")
                .with("-Dflagtally.redis.url=" + cluster.urls())
                .with("-Dflagtally.security.api-keys.test.key=local")
                .with("-Dflagtally.security.api-keys.test.roles=SDK_SERVER,READ_ONLY")
                .ready();
    }

    private static ReplayOptions options(RetailFile file, URI service, Instant until) {
        return new ReplayOptions(
                file.path(),
                service,
                "local",
                "GO_SERVER",
                LINES,
                new Columns(
                        "CustomerID",
                        Optional.of("Country"),
                        Optional.of("=on"),
                        "InvoiceDate",
                        Optional.empty(),
                        Optional.empty()),
                new Times("yyyy-MM-dd HH:mm:ss", ZoneOffset.UTC, Move.COMPRESS, until, SPAN),
                PACE);
    }
}
