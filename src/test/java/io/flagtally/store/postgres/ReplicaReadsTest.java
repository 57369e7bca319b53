package io.flagtally.store.postgres;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.SourceId;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.EventBatch;
import io.flagtally.series.ActivityReading;
import io.flagtally.testing.PostgresReplicaForTests;
import io.flagtally.testing.RandomEvents;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.SqlClient;
import io.vertx.mutiny.sqlclient.SqlConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.time.Instant;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Reads beside a real streaming replica that is late, cancels reads, and dies. */
class ReplicaReadsTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final BucketCalendar UTC = new BucketCalendar(ZoneOffset.UTC);
    private static final YearMonth NOVEMBER = YearMonth.of(2026, 11);

    @RegisterExtension
    static final PostgresSinkFixture postgres = PostgresSinkFixture.shared();

    private static PostgresReplicaForTests replica;

    private volatile Instant now = Instant.parse("2026-11-21T12:00:00Z");
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private ReplicaReads reads;
    private PostgresActiveUsersReader reader;
    private final RandomEvents made = new RandomEvents(7);

    @BeforeAll
    static void start() {
        replica = PostgresReplicaForTests.of(postgres.server);
    }

    @AfterAll
    static void stop() {
        replica.close();
    }

    @BeforeEach
    void open() {
        reads = new ReplicaReads(postgres.pool(replica.port()), PATIENCE, () -> now, meters);
        reader = new PostgresActiveUsersReader(postgres.pool(postgres.server.port()), PATIENCE, reads);
    }

    @Test
    void read_replicaThatFollows_showsWhatWasWrittenUntilItsTime() {
        Instant before = databaseTime();
        write("anna");

        // What is written is several transactions, and the replica may have come to the first of them only.
        await().atMost(PATIENCE).until(() -> users(readUntilNewerThan(before), "anna-env") == 1);
    }

    @Test
    void read_cancelledByTheReplica_isAnsweredByThePrimary() {
        var unused = postgres.query("create table held (id int)");
        ActivityReading caughtUp = readUntilNewerThan(databaseTime());
        assertNotNull(caughtUp.asOf());
        double before = fallbacks();
        CompletableFuture<String> reading = reads.read(
                        ReplicaReadsTest::slowRead,
                        (text, asOf) -> text,
                        Uni.createFrom().item("from the primary"))
                .subscribeAsCompletionStage();
        awaitReadOnReplica();
        unused = postgres.query("drop table held");

        assertEquals("from the primary", reading.orTimeout(60, TimeUnit.SECONDS).join());
        assertEquals(before + 1, fallbacks());
        assertNotNull(months().asOf(), "one cancelled read is no reason to leave the replica alone");
    }

    @Test
    void read_replicaAway_isAnsweredByThePrimaryUntilItIsBack() {
        write("ben");
        replica.kill();

        ActivityReading first = months();
        ActivityReading second = months();

        assertNull(first.asOf());
        assertEquals(1, users(first, "ben-env"));
        assertNull(second.asOf());
        assertEquals(1, fallbacks(), "a replica that failed is left alone for a while");
        replica.restart();
        now = now.plusSeconds(6);
        assertNotNull(readUntilNewerThan(Instant.EPOCH).asOf());
    }

    @Test
    void read_takesLongerThanTheReplicaMayTakeToAnswer_staysThere() {
        Duration toAnswer = Duration.ofSeconds(3);
        ReplicaReads impatient = new ReplicaReads(postgres.pool(replica.port()), toAnswer, () -> now, meters);
        Function<SqlConnection, Uni<String>> slow =
                connection -> connection.query("select pg_sleep(4)").execute().map(rows -> "from the replica");

        for (int i = 0; i < 2; i++) {
            assertEquals(
                    "from the replica",
                    impatient
                            .read(slow, (text, asOf) -> text, Uni.createFrom().item("from the primary"))
                            .await()
                            .atMost(PATIENCE));
        }
        assertEquals(0, fallbacks());
    }

    @Test
    void read_replicaThatTakesConnectionsAndIsSilent_isAnsweredByThePrimaryAndLeftAlone() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            ReplicaReads unanswered =
                    new ReplicaReads(postgres.pool(silent.getLocalPort()), Duration.ofMillis(200), () -> now, meters);
            Function<SqlConnection, Uni<String>> never =
                    connection -> Uni.createFrom().item("from the replica");

            for (int i = 0; i < 2; i++) {
                assertEquals(
                        "from the primary",
                        unanswered
                                .read(
                                        never,
                                        (text, asOf) -> text,
                                        Uni.createFrom().item("from the primary"))
                                .await()
                                .atMost(PATIENCE));
            }
            assertEquals(1, fallbacks(), "the second read did not wait for it");
        }
    }

    private static Uni<String> slowRead(SqlClient client) {
        return client.query("select count(*), pg_sleep(40) from held").execute().map(rows -> "from the replica");
    }

    private void awaitReadOnReplica() {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (postgres.pool(replica.port())
                        .query("select from pg_stat_activity where query like '%pg_sleep(40) from held'")
                        .execute()
                        .await()
                        .atMost(PATIENCE)
                        .size()
                == 0) {
            assertTrue(System.nanoTime() < deadline, "the replica does not read");
        }
    }

    /** Reads until the replica has come so far. */
    private ActivityReading readUntilNewerThan(Instant time) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            ActivityReading reading = months();
            if (reading.asOf() != null && reading.asOf().isAfter(time)) {
                return reading;
            }
            assertTrue(System.nanoTime() < deadline, "the replica does not come: " + reading);
            var unused = postgres.query("insert into installation values ('touch', '') on conflict (name) do update"
                    + " set value = installation.value || 'x'");
            now = now.plusSeconds(6);
        }
    }

    private static Instant databaseTime() {
        return postgres.query("select clock_timestamp()")
                .iterator()
                .next()
                .getOffsetDateTime(0)
                .toInstant();
    }

    private ActivityReading months() {
        return reader.months(List.of(new EnvironmentId("anna-env"), new EnvironmentId("ben-env")), NOVEMBER, NOVEMBER)
                .await()
                .atMost(PATIENCE);
    }

    private void write(String user) {
        var written = postgres.sink(
                        postgres.server.port(), UTC, new ActiveUsersRules(true, 2, PATIENCE), RandomEvents.NOW)
                .write(EventBatch.of(
                        UTC,
                        List.of(made.activity(new EnvironmentId(user + "-env"), user, SourceId.WEB, RandomEvents.NOW))))
                .await()
                .atMost(PATIENCE);
        assertEquals(1, written.counted());
    }

    private double fallbacks() {
        return meters.counter("flagtally.store.replica.fallbacks").count();
    }

    private static long users(ActivityReading reading, String environment) {
        return reading.activity().stream()
                .filter(each -> each.environment().value().equals(environment) && each.source() == null)
                .mapToLong(each -> each.users() == null ? 0 : each.users())
                .sum();
    }
}
