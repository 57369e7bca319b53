package io.flagtally.store.postgres;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.SourceId;
import io.flagtally.event.UserId;
import io.flagtally.pipeline.UserEraser;
import io.flagtally.platform.config.TimeConfig;
import io.flagtally.rollup.BucketCalendar;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Pool;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.RowSet;
import io.vertx.mutiny.sqlclient.SqlConnection;
import io.vertx.mutiny.sqlclient.Tuple;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Erases a person from the tables of active users and from the dead letters.
 *
 * <p>One transaction takes the person's key in {@code mau_user} in every month there is, whether there is a row or not, in
 * the order of the months, as writers do. From there no writer can bring rows of the person until the transaction has
 * ended, so what is deleted is all there is, and the summaries lose just that.
 */
@Singleton
public class PostgresUserEraser implements UserEraser {

    private static final int ATTEMPTS_MAX = 5;
    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private static final String MONTHS =
            "select right(c.relname, 6) from pg_inherits i join pg_class c on c.oid = i.inhrelid"
                    + " where i.inhparent = 'mau_user'::regclass and not i.inhdetachpending order by 1";

    private static final String TAKE_KEYS = "insert into mau_user as kept"
            + " (environment_namespace, yearmonth, user_id, days, days_before)"
            + " select $1, month, $2, 0, 0 from unnest($3::text[]) as month order by month"
            + " on conflict (environment_namespace, yearmonth, user_id) do update set days_before = kept.days_before";

    private static final String DELETE_USER = "delete from mau_user where environment_namespace = $1 and user_id = $2"
            + " and yearmonth = any($3) returning yearmonth, days";

    private static final String DELETE_USER_OF_SOURCES = "delete from mau where environment_namespace = $1"
            + " and user_id = $2 and yearmonth = any($3) and source_id = any($4)"
            + " returning yearmonth, source_id, days, event_count";

    /** The ledger is held against the growth of the sums, which is not what an erasure takes. */
    private static final String CORRECT_LEDGER = "update ledger_start set stored_events = stored_events - $1";

    private static final String CLOSED_MONTHS =
            "select period from closed_period where length(period) = 6 order by period";

    private static final String EVENT_IDS =
            "Digests of events in event_identity, 94 bits of the SHA-256 of environment, flag or goal, variation and"
                    + " event id: no person's id goes into them, and they let a repeat of an old event not bring the"
                    + " person back. They are dropped with their days.";

    private static final String EVENTS_OF_DAYS =
            "The numbers of events by day: they do not say whose the events were. The"
                    + " numbers of events by month, and of users by day and month, are corrected.";

    private final Pool pool;
    private final BucketCalendar calendar;
    private final InstantSource clock;
    private final DeadLettersOfUser deadLetters;

    @Inject
    PostgresUserEraser(Pool pool, TimeConfig time, InstantSource clock) {
        this(pool, new BucketCalendar(time.zone()), clock);
    }

    PostgresUserEraser(Pool pool, BucketCalendar calendar, InstantSource clock) {
        this.pool = pool;
        this.calendar = calendar;
        this.clock = clock;
        deadLetters = new DeadLettersOfUser(pool);
    }

    @Override
    public Uni<Erasure> erase(EnvironmentId environment, UserId user) {
        return attempt(environment.value(), user.value(), 1)
                .chain(rows -> deadLetters
                        .delete(environment.value(), user.value())
                        .chain(letters -> remaining()
                                .map(remaining -> new Erasure(
                                        List.of(
                                                new Removed("rows of active users", rows),
                                                new Removed("dead letters", letters)),
                                        remaining))))
                .ifNoItem()
                .after(TIMEOUT)
                .fail()
                .onFailure()
                .transform(PostgresFailure::away);
    }

    private Uni<Long> attempt(String environment, String user, int number) {
        return HeldConnection.use(pool, connection -> inTransaction(connection, environment, user))
                .onFailure(failure -> number < ATTEMPTS_MAX
                        && (PostgresFailure.isConflict(failure) || PostgresFailure.isMissingPartition(failure)))
                .recoverWithUni(() -> attempt(environment, user, number + 1));
    }

    private Uni<Long> inTransaction(SqlConnection connection, String environment, String user) {
        return connection
                .query("begin")
                .execute()
                .chain(begun -> connection.query(MONTHS).execute())
                .chain(rows -> erase(connection, environment, user, texts(rows).toArray(String[]::new)))
                .call(() -> connection.query("commit").execute())
                .onFailure()
                .call(() -> connection.query("rollback").execute().onFailure().recoverWithNull());
    }

    private Uni<Long> erase(SqlConnection connection, String environment, String user, String[] months) {
        String[] sources = Stream.of(SourceId.values()).map(SourceId::name).toArray(String[]::new);
        SummaryDeltas deltas = new SummaryDeltas(calendar);
        Tuple person = Tuple.of(environment, user, months);
        return connection
                .preparedQuery(TAKE_KEYS)
                .execute(person)
                .chain(taken -> connection.preparedQuery(DELETE_USER).execute(person))
                .invoke(rows -> rows.forEach(row -> {
                    int days = row.getInteger(1);
                    if (days != 0) {
                        deltas.remove(environment, row.getString(0), SummaryDeltas.ALL_SOURCES, days, 0);
                    }
                }))
                .chain(rows -> connection
                        .preparedQuery(DELETE_USER_OF_SOURCES)
                        .execute(Tuple.of(environment, user, months, sources)))
                .chain(rows -> {
                    long count = 0;
                    long allEvents = 0;
                    for (Row row : rows) {
                        long events = row.getLong(3);
                        deltas.remove(environment, row.getString(0), row.getString(1), row.getInteger(2), events);
                        deltas.remove(environment, row.getString(0), SummaryDeltas.ALL_SOURCES, 0, events);
                        allEvents += events;
                        count++;
                    }
                    Tuple correction = Tuple.of(allEvents);
                    Uni<Long> removed = Uni.createFrom().item(count);
                    return count == 0
                            ? removed
                            : connection
                                    .preparedQuery(ActiveUsersStatements.UPSERT_SUMMARIES)
                                    .execute(deltas.tuple(0, clock.instant(), 0))
                                    .chain(() -> connection
                                            .preparedQuery(CORRECT_LEDGER)
                                            .execute(correction))
                                    .chain(() -> removed);
                });
    }

    private Uni<List<String>> remaining() {
        return pool.query(CLOSED_MONTHS).execute().map(rows -> {
            List<String> remaining = new ArrayList<>(List.of(EVENT_IDS, EVENTS_OF_DAYS));
            List<String> closed = texts(rows);
            if (!closed.isEmpty()) {
                remaining.add("The sums of the closed months " + String.join(", ", closed)
                        + ": they name nobody, and the rows that would correct them are gone.");
            }
            return remaining;
        });
    }

    private static List<String> texts(RowSet<Row> rows) {
        List<String> texts = new ArrayList<>(rows.size());
        rows.forEach(row -> texts.add(row.getString(0)));
        return texts;
    }
}
