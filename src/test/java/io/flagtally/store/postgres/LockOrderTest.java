package io.flagtally.store.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.flagtally.event.FlagEvent;
import io.flagtally.rollup.Activity;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.testing.ActiveUsersTables;
import io.flagtally.testing.RandomEvents;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.RowSet;
import io.vertx.mutiny.sqlclient.SqlConnection;
import io.vertx.mutiny.sqlclient.Tuple;
import io.vertx.pgclient.PgException;
import java.sql.Connection;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the lock order and the unique key are for: without the one writers deadlock, without the other a user is new twice. */
class LockOrderTest {

    private static final BucketCalendar UTC = new BucketCalendar(ZoneOffset.UTC);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final long SEED = new Random().nextLong();

    @RegisterExtension
    static final PostgresSinkFixture postgres = PostgresSinkFixture.cleared();

    private final RandomEvents made = new RandomEvents(SEED);

    @Test
    void upsert_ordersOfTheProduct_waitAndSucceed() throws Exception {
        assertEquals("", failureOfTwoTransactions(rows(SEED), rows(SEED + 1)));
    }

    @Test
    void upsert_otherOrder_deadlocks() throws Exception {
        assertEquals("40P01", failureOfTwoTransactions(rows(SEED), reversed(rows(SEED + 1))));
    }

    /** The same users, folded in another order. */
    private Tuple rows(long seed) {
        List<FlagEvent> events = new ArrayList<>();
        for (int user = 0; user < 5_000; user++) {
            events.add(RandomEvents.evaluation(made.id(), "flag", "v0", "u" + user, RandomEvents.NOW));
        }
        Collections.shuffle(events, new Random(seed));
        return ActiveUsersStatements.users(Activity.of(UTC, events));
    }

    private static Tuple reversed(Tuple rows) {
        List<String> users = new ArrayList<>(List.of(rows.getArrayOfStrings(2)));
        Collections.reverse(users);
        return Tuple.of(
                rows.getArrayOfStrings(0),
                rows.getArrayOfStrings(1),
                users.toArray(String[]::new),
                rows.getArrayOfIntegers(3));
    }

    /**
     * Two transactions write the same users while a third one keeps a user in the middle, until both wait. Gives how one
     * of them fails.
     */
    private static String failureOfTwoTransactions(Tuple first, Tuple second) throws Exception {
        var opened = postgres.query("select open_period('202611')");
        try (Connection middle = ActiveUsersTables.at(postgres.server.port()).connect()) {
            middle.setAutoCommit(false);
            assertEquals(
                    1,
                    middle.createStatement()
                            .executeUpdate("insert into mau_user values ('default', '202611', 'u3', 1, 0)"));
            CompletableFuture<String> one = write(first);
            awaitWaiting(1);
            CompletableFuture<String> other = write(second);
            awaitWaiting(2);
            middle.rollback();
            return one.get(60, TimeUnit.SECONDS) + other.get(60, TimeUnit.SECONDS);
        } finally {
            var unused = postgres.query("truncate mau_user");
        }
    }

    /** Writes users in a transaction of its own; gives the SQL state of its failure, or an empty text. */
    private static CompletableFuture<String> write(Tuple rows) {
        return HeldConnection.use(
                        postgres.pool(postgres.server.port()),
                        connection -> connection
                                .query("begin")
                                .execute()
                                .chain(begun -> connection
                                        .preparedQuery(ActiveUsersStatements.UPSERT_USERS)
                                        .execute(rows))
                                .map(written -> "")
                                .onFailure(PgException.class)
                                .recoverWithItem(refused -> String.valueOf(((PgException) refused).getSqlState()))
                                .call(() -> connection.query("commit").execute()))
                .subscribeAsCompletionStage();
    }

    private static void awaitWaiting(int transactions) {
        Awaitility.await()
                .atMost(PATIENCE)
                .until(() -> postgres.number("select count(*) from pg_stat_activity where wait_event_type = 'Lock'")
                        >= transactions);
    }

    @Test
    void firstSight_withTheUniqueKey_isSeenOnce() {
        assertEquals(1, firstSights("mau_user", ActiveUsersStatements.UPSERT_USERS));
        var unused = postgres.query("truncate mau_user");
    }

    @Test
    void firstSight_withoutTheUniqueKey_isSeenTwice() {
        var table = postgres.query("create table without_key (like mau_user including defaults)");
        try {
            assertEquals(
                    "42P10",
                    await(write(sightOf("anna"), ActiveUsersStatements.UPSERT_USERS.replace("mau_user", "without_key"))
                            .map(rows -> "")
                            .onFailure(PgException.class)
                            .recoverWithItem(refused -> String.valueOf(((PgException) refused).getSqlState()))),
                    "the statement of the product needs the key");
            assertEquals(
                    2,
                    firstSights(
                            "without_key",
                            ActiveUsersStatements.UPSERT_USERS
                                    .replace("mau_user", "without_key")
                                    .replaceAll(" on conflict .* <> kept.days", "")));
        } finally {
            var dropped = postgres.query("drop table without_key");
        }
    }

    /** Two transactions see a user for the first time, the second one before the first has committed. */
    private static long firstSights(String table, String statement) {
        var opened = postgres.query("select open_period('202611')");
        SqlConnection a = begun();
        SqlConnection b = begun();
        try {
            long seen = sights(await(a.preparedQuery(statement).execute(sightOf("anna"))));
            CompletableFuture<RowSet<Row>> second =
                    b.preparedQuery(statement).execute(sightOf("anna")).subscribeAsCompletionStage();
            Awaitility.await()
                    .atMost(PATIENCE)
                    .until(() -> second.isDone()
                            || postgres.number("select count(*) from pg_stat_activity where wait_event_type = 'Lock'")
                                    > 0);
            await(commit(a));
            seen += sights(second.orTimeout(60, TimeUnit.SECONDS).join());
            await(commit(b));
            assertEquals(
                    seen, postgres.number("select count(*) from " + table + " where user_id = 'anna'"), "rows of hers");
            return seen;
        } finally {
            await(a.close());
            await(b.close());
        }
    }

    private static Uni<RowSet<Row>> write(Tuple rows, String statement) {
        return postgres.pool(postgres.server.port()).preparedQuery(statement).execute(rows);
    }

    private static Tuple sightOf(String user) {
        return Tuple.of(new String[] {"default"}, new String[] {"202611"}, new String[] {user}, new Integer[] {1});
    }

    /** How many users were seen for the first time, as the statement says. */
    private static long sights(RowSet<Row> added) {
        long sights = 0;
        for (Row row : added) {
            sights += row.getLong(5);
        }
        return sights;
    }

    private static SqlConnection begun() {
        SqlConnection connection = await(postgres.pool(postgres.server.port()).getConnection());
        await(connection.query("begin").execute().replaceWithVoid());
        return connection;
    }

    private static Uni<Void> commit(SqlConnection connection) {
        return connection.query("commit").execute().replaceWithVoid();
    }

    private static <T> T await(Uni<T> uni) {
        return uni.await().atMost(PATIENCE);
    }
}
