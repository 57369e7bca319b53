package io.flagtally.retail;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.EvaluationEvent;
import io.flagtally.event.EventId;
import io.flagtally.event.FlagEvent;
import io.flagtally.event.FlagId;
import io.flagtally.event.Reason;
import io.flagtally.event.SourceId;
import io.flagtally.event.UserId;
import io.flagtally.event.VariationId;
import io.flagtally.packaged.ServiceProcess;
import io.flagtally.platform.embedded.LoopbackPort;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.EventBatch;
import io.flagtally.series.PeriodActivity;
import io.flagtally.store.postgres.ActiveUsersRules;
import io.flagtally.store.postgres.PostgresActiveUsersReader;
import io.flagtally.store.postgres.PostgresActiveUsersSink;
import io.flagtally.testing.PostgresServerForTests;
import io.flagtally.testing.RedisServerForTests;
import io.flagtally.testing.TestData;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.mutiny.core.Vertx;
import io.vertx.mutiny.pgclient.PgBuilder;
import io.vertx.mutiny.sqlclient.Pool;
import io.vertx.pgclient.PgConnectOptions;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.YearMonth;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A year of a real shop, with its own dates: the active users of each month equal those of the file. */
class RetailActiveUsersIT {

    private static final Instant NOW = Instant.parse("2011-12-10T12:00:00Z");
    private static final BucketCalendar UTC = new BucketCalendar(ZoneOffset.UTC);
    private static final BucketCalendar TOKYO = new BucketCalendar(ZoneId.of("Asia/Tokyo"));
    private static final int BATCH_EVENTS = 10_000;
    private static final long SEED = new Random().nextLong();
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    /** Known of the real file, months from 2010-12. */
    private static final List<Long> IN_UTC =
            List.of(948L, 783L, 798L, 1020L, 899L, 1079L, 1051L, 993L, 980L, 1302L, 1425L, 1711L, 686L);

    private static final List<Long> IN_TOKYO =
            List.of(948L, 777L, 800L, 1013L, 911L, 1075L, 1040L, 997L, 981L, 1306L, 1425L, 1702L, 715L);

    private static PostgresServerForTests server;
    private static Vertx vertx;
    private static Pool pool;
    private static boolean real;
    private static final List<FlagEvent> EVENTS = new ArrayList<>();

    @BeforeAll
    static void start() throws IOException {
        server = PostgresServerForTests.start();
        vertx = Vertx.vertx();
        pool = PgBuilder.pool()
                .connectingTo(new PgConnectOptions()
                        .setHost("127.0.0.1")
                        .setPort(server.port())
                        .setDatabase("postgres")
                        .setUser("postgres")
                        .setPassword("postgres")
                        .setCachePreparedStatements(true))
                .using(vertx)
                .build();
        RetailFile file = RetailFile.find();
        real = file.isReal();
        long[] number = {0};
        file.forEach(Long.MAX_VALUE, line -> {
            number[0]++;
            if (!line.user().isEmpty()) {
                EVENTS.add(event(line, number[0]));
            }
        });
    }

    @AfterAll
    static void stop() {
        pool.close().await().atMost(PATIENCE);
        vertx.close().await().atMost(PATIENCE);
        server.close();
    }

    @BeforeEach
    void clear() {
        var unused = pool.query("truncate mau, mau_user, event_identity, active_users_summary")
                .execute()
                .await()
                .atMost(PATIENCE);
    }

    @Test
    void write_theFileTwice_givesItsMonths() {
        assertEquals(EVENTS.size(), write(UTC, EVENTS));
        assertEquals(0, write(UTC, EVENTS));

        requireMonths(UTC, IN_UTC);
    }

    /** Through the service, in an installation whose zone is UTC+9, the lines in random order. */
    @Test
    void import_inTokyoInRandomOrder_givesItsMonths() throws Exception {
        Path home = TestData.newDirectory("retail-tokyo");
        Path lines = shuffledLines(home);
        try (RedisServerForTests redis = RedisServerForTests.start();
                ServiceProcess service = FaultyRun.service(
                                home, LoopbackPort.free(), "postgresql://127.0.0.1:" + server.port() + "/postgres")
                        .with("-Dflagtally.redis.url=" + redis.url())
                        .with("-Dflagtally.time.zone=Asia/Tokyo")
                        .with("-Dflagtally.security.api-keys.admin.key=admin")
                        .with("-Dflagtally.security.api-keys.admin.roles=ADMIN")
                        .ready()) {
            HttpResponse<String> answer = HttpClient.newHttpClient()
                    .send(
                            HttpRequest.newBuilder(service.uri("/v1/import"))
                                    .header("authorization", "admin")
                                    .timeout(Duration.ofMinutes(15))
                                    .POST(HttpRequest.BodyPublishers.ofFile(lines))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString());

            assertTrue(answer.body().contains("\"done\":true"), answer::body);
            assertTrue(answer.body().contains("\"counted\":" + EVENTS.size() + ","), () -> "seed " + SEED);
        }
        requireMonths(TOKYO, IN_TOKYO);
    }

    private static Path shuffledLines(Path home) throws Exception {
        Path lines = home.resolve("events.ndjson");
        Replays.writeLines(RetailFile.find(), lines);
        List<String> shuffled = new ArrayList<>(Files.readAllLines(lines));
        Collections.shuffle(shuffled, new Random(SEED));
        return Files.write(lines, shuffled);
    }

    private static EvaluationEvent event(RetailFile.Line line, long number) {
        long high = (number * 0x9E3779B97F4A7C15L) & ~0xF000L | 0x4000L;
        long low = (number * 0xC2B2AE3D27D4EB4FL) & ~(0b11L << 62) | 0b10L << 62;
        return new EvaluationEvent(
                new EventId(high, low),
                EnvironmentId.DEFAULT,
                new FlagId(line.flag()),
                1,
                new VariationId(line.variation()),
                new UserId(line.user()),
                Reason.RULE,
                Instant.ofEpochSecond(line.epochSecond()),
                SourceId.WEB);
    }

    private static long write(BucketCalendar calendar, List<FlagEvent> events) {
        PostgresActiveUsersSink sink = new PostgresActiveUsersSink(
                pool,
                calendar,
                new ActiveUsersRules(true, 4, PATIENCE),
                InstantSource.fixed(NOW),
                new SimpleMeterRegistry());
        long counted = 0;
        for (int i = 0; i < events.size(); i += BATCH_EVENTS) {
            EventBatch batch = EventBatch.of(calendar, events.subList(i, Math.min(i + BATCH_EVENTS, events.size())));
            counted += sink.write(batch).await().atMost(PATIENCE).counted();
        }
        return counted;
    }

    private static void requireMonths(BucketCalendar calendar, List<Long> known) {
        Map<YearMonth, Set<String>> users = new TreeMap<>();
        for (FlagEvent event : EVENTS) {
            YearMonth month = YearMonth.from(event.time().atZone(calendar.zone()));
            users.computeIfAbsent(month, m -> new HashSet<>()).add(event.user().value());
        }
        Map<YearMonth, Long> expected = new TreeMap<>();
        users.forEach((month, all) -> expected.put(month, (long) all.size()));
        Map<YearMonth, Long> actual = new TreeMap<>();
        long events = 0;
        for (PeriodActivity month : new PostgresActiveUsersReader(pool, PATIENCE)
                .months(List.of(EnvironmentId.DEFAULT), YearMonth.of(2010, 1), YearMonth.of(2020, 1))
                .await()
                .atMost(PATIENCE)
                .activity()) {
            if (month.source() == null) {
                actual.put(YearMonth.from(month.dates().from()), month.users());
                events += month.events();
            }
        }
        assertEquals(expected, actual);
        assertEquals(EVENTS.size(), events);
        if (real) {
            assertEquals(known, List.copyOf(actual.values()));
        }
    }
}
