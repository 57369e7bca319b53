package io.flagtally.retail;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.packaged.ServiceProcess;
import io.flagtally.replay.Replay;
import io.flagtally.replay.ReplayOptions.Pace;
import io.flagtally.replay.ReplayReport;
import io.flagtally.retail.RetailCounts.Cell;
import io.flagtally.testing.ChildServer;
import io.flagtally.testing.TestData;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * A year of a real shop goes into the packaged service through HTTP, its times brought into the last 30 days; what comes
 * out is compared with counts made directly from the file.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RetailCountsIT {

    private static final Logger LOG = Logger.getLogger(RetailCountsIT.class);
    private static final Pace HIGHEST = new Pace(1000, 0, 4, Duration.ofMinutes(5));
    /** The heap of 256 MiB, touched to its end by a quick replay, and as much again of everything else. */
    private static final long RESIDENT_MAX = 512L << 20;

    private static final long TREE_MAX = 1L << 30;

    private ServiceProcess service;
    private RetailFile file;
    private RetailCounts expected;
    private ReplayReport report;
    private EventCounter counter;

    @BeforeAll
    void replay() throws Exception {
        Instant until = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        file = RetailFile.find();
        expected = RetailCounts.of(file, Long.MAX_VALUE, until, Replays.SPAN);
        service = ServiceProcess.in(TestData.newDirectory("retail-counts"))
                .with("-Xmx256m")
                .with(ChildServer.RUNS_FAST)
                .ready();
        counter = new EventCounter(service.uri(""));
        report = new Replay(
                        Replays.options(file.path(), service.uri(""), until, Long.MAX_VALUE, HIGHEST),
                        new Replay.Listener() {})
                .run();
        LOG.infof("Replayed %s%n%s", file.path(), report.text());
    }

    @AfterAll
    void stop() {
        if (service != null) {
            service.close();
        }
    }

    @Test
    void replay_anonymousLines_areRefusedWithTheReason() {
        assertEquals(expected.events(), report.accepted());
        assertEquals(Map.of("gateway: user_id is empty", expected.anonymous()), report.refused());
        assertEquals(0, report.unansweredTotal());
        if (file.isReal()) {
            assertEquals(406_829, report.accepted());
            assertEquals(135_080, expected.anonymous());
        }
    }

    @Test
    void eventCounts_everyFlagAndVariation_equalTheFile() throws Exception {
        if (file.isReal()) {
            assertEquals(
                    37,
                    expected.flags().values().stream()
                            .map(Map::keySet)
                            .flatMap(Set::stream)
                            .distinct()
                            .count());
        }

        Replays.assertEventsEqual(expected, counter);
    }

    @Test
    void userCounts_everyFlagAndVariation_areWithinTheirError() throws Exception {
        UniquesCheck totals = new UniquesCheck();
        UniquesCheck days = new UniquesCheck();
        for (var flag : expected.flags().entrySet()) {
            Map<String, EventCounter.Values> users =
                    counter.thirtyDays(flag.getKey()).users();
            for (var variation : flag.getValue().entrySet()) {
                String cell = flag.getKey() + "/" + variation.getKey();
                compare(
                        cell,
                        Objects.requireNonNull(users.get(variation.getKey())),
                        variation.getValue(),
                        totals,
                        days);
            }
        }
        LOG.infof("Uniques over the range: %s", totals);
        LOG.infof("Uniques of a day: %s", days);

        totals.judge();
        days.judge();
    }

    @Test
    void memory_afterTheReplay_isBounded() throws IOException {
        long resident = ProcessMemory.resident(service.pid());
        long tree = ProcessMemory.together(service);
        LOG.infof("JVM %d MiB resident, process tree %d MiB", resident >> 20, tree >> 20);

        assertTrue(resident < RESIDENT_MAX, "the JVM has " + (resident >> 20) + " MiB resident");
        assertTrue(tree < TREE_MAX, "the process tree has " + (tree >> 20) + " MiB");
    }

    private static void compare(
            String name, EventCounter.Values users, Cell cell, UniquesCheck totals, UniquesCheck days) {
        totals.add(name, users.total(), cell.users.size());
        for (Map.Entry<LocalDate, Set<String>> day : cell.usersByDay.entrySet()) {
            days.add(
                    name + " on " + day.getKey(),
                    users.byDay().getOrDefault(day.getKey(), 0L),
                    day.getValue().size());
        }
    }
}
