package io.flagtally.store.postgres;

import io.flagtally.pipeline.BatchOutcome;
import io.flagtally.pipeline.BatchSink;
import io.flagtally.rollup.Activity;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.EventBatch;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Pool;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.RowSet;
import io.vertx.mutiny.sqlclient.SqlConnection;
import io.vertx.mutiny.sqlclient.Tuple;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Keeps in PostgreSQL who was active in which month and on which day: by SDK, and over all SDKs, where a user of two
 * counts once. Evaluations and goals alike.
 *
 * <p>A flush is one transaction of three round trips: which events are new (a unique key says), then the users, then
 * what their rows say is new to the summaries. An event is counted once as long as its id is kept; whether a user is
 * new is decided by a unique key, never by a read. All transactions lock rows in one order. A transaction that loses
 * against another one is repeated at once, a few times; one whose partition is missing opens it first. One that takes too
 * long is taken to have failed, and goes on to its end all the same: the flush that repeats it waits for its rows and
 * recognises its events. An event of a closed month is rejected.
 */
public final class PostgresActiveUsersSink implements BatchSink {

    /** Days that ended longer ago than this may have lost their event ids. */
    private static final Duration IDS_SURELY_KEPT = MauConfig.DOORS_CLOSE_AFTER.minusDays(1);

    /** How often a flush is repeated at once before the pipeline's patience takes over. */
    private static final int ATTEMPTS_MAX = 5;

    private final Pool pool;
    private final BucketCalendar calendar;
    private final ActiveUsersRules rules;
    private final InstantSource clock;
    private final MeterRegistry meters;
    private final Timer flushes;
    private final Periods periods;
    private final boolean ofImports;
    private final AtomicInteger shard =
            new AtomicInteger(ThreadLocalRandom.current().nextInt(Short.MAX_VALUE));

    public PostgresActiveUsersSink(
            Pool pool, BucketCalendar calendar, ActiveUsersRules rules, InstantSource clock, MeterRegistry meters) {
        this(pool, calendar, rules, clock, meters, false);
    }

    private PostgresActiveUsersSink(
            Pool pool,
            BucketCalendar calendar,
            ActiveUsersRules rules,
            InstantSource clock,
            MeterRegistry meters,
            boolean ofImports) {
        this.pool = pool;
        this.calendar = calendar;
        this.rules = rules;
        this.clock = clock;
        this.meters = meters;
        this.ofImports = ofImports;
        periods = new Periods(pool);
        flushes = Timer.builder("flagtally.store.mau.flush")
                .description("Time of a flush of active users that succeeded")
                .publishPercentiles(0.5, 0.99)
                .register(meters);
    }

    @Override
    public String name() {
        return "mau";
    }

    /** Returns the sink of imports: the ids of events that it counts are kept as long as the rows of their months. */
    @Override
    public BatchSink recognisingForGood() {
        return new PostgresActiveUsersSink(pool, calendar, rules, clock, meters, true);
    }

    @Override
    public Uni<BatchOutcome> write(EventBatch batch) {
        if (batch.size() == 0) {
            return Uni.createFrom().item(new BatchOutcome(0, 0));
        }
        return Uni.createFrom()
                .deferred(() -> {
                    Timer.Sample sample = Timer.start();
                    ActiveUsersFlush flush = new ActiveUsersFlush(batch, calendar, rules.recognising());
                    return attempt(flush, 1).invoke(outcome -> {
                        long unused = sample.stop(flushes);
                    });
                })
                .ifNoItem()
                .after(rules.timeout())
                .fail()
                .onFailure()
                .transform(PostgresFailure::judged);
    }

    private Uni<BatchOutcome> attempt(ActiveUsersFlush flush, int number) {
        return periods.open(flush.periods())
                .invoke(flush::settle)
                .chain(closed -> flush.acceptable() == 0
                        ? Uni.createFrom().item(new BatchOutcome(0, 0, flush.rejected()))
                        : transact(flush))
                .onFailure(failure -> number < ATTEMPTS_MAX && isToBeRepeated(failure))
                .recoverWithUni(() -> attempt(flush, number + 1));
    }

    private boolean isToBeRepeated(Throwable failure) {
        if (failure instanceof EventIdsLostException) {
            return true;
        }
        if (PostgresFailure.isMissingPartition(failure)) {
            periods.forget();
        } else if (!PostgresFailure.isConflict(failure)) {
            return false;
        }
        meters.counter("flagtally.store.mau.repeats").increment();
        return true;
    }

    private Uni<BatchOutcome> transact(ActiveUsersFlush flush) {
        return HeldConnection.use(
                pool, connection -> inTransaction(connection, flush).onFailure().call(() -> rollback(connection)));
    }

    private static Uni<Void> rollback(SqlConnection connection) {
        return connection
                .query("rollback")
                .execute()
                .replaceWithVoid()
                .onFailure()
                .recoverWithNull();
    }

    private Uni<BatchOutcome> inTransaction(SqlConnection connection, ActiveUsersFlush flush) {
        return newEvents(connection, flush).chain(activity -> {
            long counted = activity.events().values().stream()
                    .mapToLong(Long::longValue)
                    .sum();
            BatchOutcome outcome = new BatchOutcome(counted, flush.acceptable() - counted, flush.rejected());
            return counted == 0
                    ? rollback(connection).replaceWith(outcome)
                    : add(connection, activity).replaceWith(outcome);
        });
    }

    /** First round trip: begins, and finds out which events are new. */
    private Uni<Activity> newEvents(SqlConnection connection, ActiveUsersFlush flush) {
        Uni<?> begin = connection.query("begin").execute();
        if (!rules.recognising()) {
            return begin.map(begun -> flush.everything());
        }
        List<Uni<?>> sent = new ArrayList<>(List.of(begin));
        if (ofImports) {
            sent.add(run(connection, ActiveUsersStatements.KEEP_IDENTITIES, Tuple.of(flush.days())));
        }
        sent.add(run(
                connection, ActiveUsersStatements.INSERT_IDENTITIES, ActiveUsersStatements.identities(flush.keys())));
        int identities = sent.size() - 1;
        String[] old = flush.daysBefore(clock.instant().minus(IDS_SURELY_KEPT));
        if (old.length > 0) {
            sent.add(run(connection, ActiveUsersStatements.DROPPED_IDENTITIES, Tuple.of(old, flush.environments())));
        }
        return together(sent).map(replies -> {
            if (old.length > 0) {
                requireKept(replies.get(replies.size() - 1), flush);
            }
            List<UUID> fresh = new ArrayList<>(replies.get(identities).size());
            replies.get(identities).forEach(row -> fresh.add(row.getUUID(0)));
            return flush.fresh(fresh);
        });
    }

    private static void requireKept(RowSet<Row> dropped, ActiveUsersFlush flush) {
        boolean learnt = false;
        for (Row row : dropped) {
            learnt |= flush.lose(row.getString(0), row.getString(1));
        }
        if (learnt) {
            throw new EventIdsLostException();
        }
    }

    /** Second and third round trip: writes users, then summaries, and commits. */
    private Uni<Void> add(SqlConnection connection, Activity activity) {
        long nowSeconds = clock.instant().getEpochSecond();
        Uni<RowSet<Row>> users =
                run(connection, ActiveUsersStatements.UPSERT_USERS, ActiveUsersStatements.users(activity));
        Uni<RowSet<Row>> usersOfSources = run(
                connection,
                ActiveUsersStatements.UPSERT_USERS_OF_SOURCES,
                ActiveUsersStatements.usersOfSources(activity, nowSeconds));
        return together(List.of(users, usersOfSources)).chain(added -> {
            SummaryDeltas summaries = new SummaryDeltas(calendar);
            summaries.addEvents(activity);
            added.forEach(summaries::addUsers);
            int chosen = Math.floorMod(shard.getAndIncrement(), rules.shards());
            Uni<RowSet<Row>> written = run(
                    connection,
                    ActiveUsersStatements.UPSERT_SUMMARIES,
                    summaries.tuple(chosen, clock.instant(), nowSeconds));
            return together(List.of(written, connection.query("commit").execute()))
                    .replaceWithVoid();
        });
    }

    private static Uni<RowSet<Row>> run(SqlConnection connection, String statement, Tuple arguments) {
        return connection.preparedQuery(statement).execute(arguments);
    }

    /** Sends all without waiting in between. */
    @SuppressWarnings("unchecked")
    private static Uni<List<RowSet<Row>>> together(List<Uni<?>> statements) {
        List<Uni<RowSet<Row>>> all = new ArrayList<>(statements.size());
        statements.forEach(statement -> all.add((Uni<RowSet<Row>>) statement));
        return Uni.join().all(all).andFailFast();
    }

    /** Some events are of days and environments whose event ids were dropped, which the flush knows now. */
    private static final class EventIdsLostException extends RuntimeException {

        private static final long serialVersionUID = 1L;

        EventIdsLostException() {
            super("event ids were dropped", null, false, false);
        }
    }
}
