package io.flagtally.retail;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.packaged.ServiceProcess;
import io.flagtally.platform.embedded.LoopbackPort;
import io.flagtally.proof.FaultProxy;
import io.flagtally.replay.ReplayOptions.Pace;
import io.flagtally.testing.ActiveUsersTables;
import io.flagtally.testing.ActiveUsersTables.Sum;
import io.flagtally.testing.PostgresServerForTests;
import io.flagtally.testing.RedisServerForTests;
import io.flagtally.testing.TestData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A proxy between the packaged service and its PostgreSQL cuts, stalls and loses replies at random, every other time that of
 * a commit; PostgreSQL and the service are killed at random moments; all during replays. Every sum of active users, by
 * day and month, by SDK and over all of them, must be that of the distinct events, and the rows must say the same.
 */
class PostgresFaultsIT {

    private static final Logger LOG = Logger.getLogger(PostgresFaultsIT.class);
    private static final long LINES = 25_000;
    private static final long LINES_WITHOUT_PROTECTION = 15_000;
    private static final Duration PATIENCE = Duration.ofSeconds(160);
    private static final Pace PACE = new Pace(100, 3_000, 4, Duration.ofSeconds(150));
    private static final DateTimeFormatter MONTH = DateTimeFormatter.ofPattern("yyyyMM");

    private final long seed = Long.getLong("flagtally.faults.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private final Instant until = Instant.now().truncatedTo(ChronoUnit.SECONDS);
    private final List<AutoCloseable> open = new ArrayList<>();
    private RetailFile file;
    private PostgresServerForTests postgres;
    private RedisServerForTests redis;
    private FaultProxy proxy;

    @BeforeEach
    void start() throws Exception {
        LOG.infof("Faults of seed %d (-Dflagtally.faults.seed)", seed);
        file = RetailFile.find();
        postgres = opened(PostgresServerForTests.start());
        redis = opened(RedisServerForTests.start());
        proxy = opened(FaultProxy.to(postgres.port()));
    }

    @AfterEach
    void stop() throws Exception {
        for (int i = open.size() - 1; i >= 0; i--) {
            open.get(i).close();
        }
    }

    @Test
    void replay_faultsAndKills_countsEachUserAndEventOnce() throws Exception {
        RetailCounts expected = RetailCounts.of(file, LINES, until, Replays.SPAN);
        Path home = TestData.newDirectory("mau-faults");
        int port = LoopbackPort.free();
        ServiceProcess service = ready(home, port, proxy, true);

        FaultyRun run = replay(service, file.path(), "WEB", LINES);
        try (RandomFaults faults = faults(proxy, seed)) {
            killPostgresAfter(run, expected.events() / 10);
            run.await(at(expected, 0.25, 0.4));
        }
        service.kill();
        service = ready(home, port, proxy, true);
        try (RandomFaults faults = faults(proxy, ~seed)) {
            killPostgresAfter(run, at(expected, 0.5, 0.7));
            run.await(at(expected, 0.8, 0.9));
        }

        assertEquals(expected.events(), run.end(PATIENCE).accepted());
        assertTablesEqual(Map.of("WEB", expected), 1);
        Replays.assertEventsEqual(expected, readable(service));
    }

    @Test
    void replay_sameUsersUnderTwoSourcesToTwoInstances_countsEachUserOnce() throws Exception {
        RetailCounts expected = RetailCounts.of(file, LINES, until, Replays.SPAN);
        FaultProxy otherProxy = opened(FaultProxy.to(postgres.port()));
        Path home = TestData.newDirectory("mau-faults-one");
        int port = LoopbackPort.free();
        ServiceProcess one = launched(home, port, proxy, true);
        ServiceProcess other =
                launched(TestData.newDirectory("mau-faults-other"), LoopbackPort.free(), otherProxy, true);
        one.awaitReady();
        other.awaitReady();

        // A file of another name gives other ids: other events of the same users. Those of WEB go to both instances.
        FaultyRun web = replay(one, file.path(), "WEB", LINES);
        FaultyRun webAgain = replay(other, file.path(), "WEB", LINES);
        FaultyRun ios = replay(other, sameFileOfAnotherName(), "IOS", LINES);
        try (RandomFaults faults = faults(proxy, seed);
                RandomFaults otherFaults = faults(otherProxy, ~seed)) {
            killPostgresAfter(web, at(expected, 0.2, 0.4));
            web.await(at(expected, 0.5, 0.6));
        }
        one.kill();
        one = ready(home, port, proxy, true);

        for (FaultyRun run : List.of(web, webAgain, ios)) {
            assertEquals(expected.events(), run.end(PATIENCE).accepted());
        }
        assertTablesEqual(Map.of("WEB", expected, "IOS", expected), 2);
    }

    @Test
    void replay_lostCommitRepliesWithoutDeduplication_doubles() throws Exception {
        RetailCounts expected = RetailCounts.of(file, LINES_WITHOUT_PROTECTION, until, Replays.SPAN);
        ServiceProcess service = ready(TestData.newDirectory("mau-faults-off"), LoopbackPort.free(), proxy, false);

        FaultyRun run = replay(service, file.path(), "WEB", LINES_WITHOUT_PROTECTION);
        for (int part = 1; part < 4; part++) {
            run.await(expected.events() * part / 4);
            proxy.loseRepliesFrom("commit");
            Thread.sleep(500);
            proxy.pass();
        }
        assertEquals(expected.events(), run.end(PATIENCE).accepted());

        long counted = ActiveUsersTables.at(postgres.port()).number("select sum(event_count)::bigint from mau");
        assertTrue(counted > expected.events(), "without the protection nothing doubled: " + counted);
    }

    /** @param times how many events of {@code expected} there are over all sources, for one of each source */
    private void assertTablesEqual(Map<String, RetailCounts> expected, int times) {
        Map<String, Sum> wanted = new TreeMap<>();
        expected.forEach((source, counts) -> wanted.putAll(sums(counts, source, 1)));
        wanted.putAll(sums(expected.values().iterator().next(), "*", times));
        ActiveUsersTables tables = ActiveUsersTables.at(postgres.port());
        assertAll(
                () -> assertEquals(wanted, tables.summaries(), () -> "seed " + seed),
                tables::requireSummariesEqualRows,
                () -> assertEquals(
                        expected.values().stream()
                                .mapToLong(RetailCounts::events)
                                .sum(),
                        tables.number("select count(*) from event_identity")));
    }

    private static Map<String, Sum> sums(RetailCounts counts, String source, int times) {
        Map<String, Set<String>> users = new HashMap<>();
        Map<String, Long> events = new HashMap<>();
        counts.usersByDay()
                .forEach((day, some) -> periods(day)
                        .forEach(period -> users.computeIfAbsent(period, p -> new HashSet<>())
                                .addAll(some)));
        counts.eventsByDay()
                .forEach((day, n) -> periods(day).forEach(period -> events.merge(period, n * times, Long::sum)));
        Map<String, Sum> sums = new TreeMap<>();
        users.forEach((period, all) ->
                sums.put("default " + period + " " + source, new Sum(all.size(), events.getOrDefault(period, 0L))));
        return sums;
    }

    private static List<String> periods(LocalDate day) {
        return List.of(MONTH.format(day), DateTimeFormatter.BASIC_ISO_DATE.format(day));
    }

    private Path sameFileOfAnotherName() throws IOException {
        return Files.createSymbolicLink(
                TestData.newDirectory("mau-faults-file")
                        .resolve("other-" + file.path().getFileName()),
                file.path().toAbsolutePath());
    }

    private FaultyRun replay(ServiceProcess service, Path path, String source, long lines) {
        return FaultyRun.of(Replays.options(path, source, service.uri(""), until, lines, PACE));
    }

    private static RandomFaults faults(FaultProxy through, long seed) {
        return RandomFaults.on(through, seed, "commit");
    }

    private void killPostgresAfter(FaultyRun run, long events) throws InterruptedException {
        run.await(events);
        postgres.kill();
        Thread.sleep(random.nextInt(1_000));
        postgres.restart();
    }

    private long at(RetailCounts expected, double from, double to) {
        return (long) (expected.events() * (from + random.nextDouble() * (to - from)));
    }

    private ServiceProcess ready(Path home, int port, FaultProxy through, boolean deduplication) {
        ServiceProcess service = launched(home, port, through, deduplication);
        service.awaitReady();
        return service;
    }

    private ServiceProcess launched(Path home, int port, FaultProxy through, boolean deduplication) {
        return opened(
                FaultyRun.service(home, port, "postgresql://" + LoopbackPort.HOST + ":" + through.port() + "/postgres")
                        .with("-Dflagtally.redis.url=" + redis.url())
                        .with("-Dflagtally.mau.flush-timeout=3S")
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
