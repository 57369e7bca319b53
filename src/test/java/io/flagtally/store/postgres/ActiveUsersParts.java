package io.flagtally.store.postgres;

import io.flagtally.rollup.Activity;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.EventBatch;
import io.flagtally.testing.RandomEvents;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Pool;
import io.vertx.mutiny.sqlclient.Tuple;
import java.time.ZoneOffset;
import java.util.Set;

/** The statements of a flush one by one, each committed alone, for what each part costs. */
public final class ActiveUsersParts {

    private static final BucketCalendar UTC = new BucketCalendar(ZoneOffset.UTC);

    /** A table such as {@code mau_user}, for {@link #usersWithoutDays}. */
    public static final String TABLE_WITHOUT_DAYS = "create table user_without_days (like mau_user including all)";

    private static final String USERS_WITHOUT_DAYS =
            "insert into user_without_days (environment_namespace, yearmonth, user_id, days, days_before)"
                    + " select e, m, u, 0, 0 from unnest($1::text[], $2::text[], $3::text[], $4::int[]) as row(e, m, u, d)"
                    + " on conflict do nothing";

    private ActiveUsersParts() {}

    public static Uni<?> identities(Pool pool, EventBatch batch) {
        ActiveUsersFlush flush = new ActiveUsersFlush(batch, UTC, true);
        flush.settle(Set.of());
        return run(pool, ActiveUsersStatements.INSERT_IDENTITIES, ActiveUsersStatements.identities(flush.keys()));
    }

    public static Uni<?> usersOfSources(Pool pool, Activity activity) {
        return run(
                pool,
                ActiveUsersStatements.UPSERT_USERS_OF_SOURCES,
                ActiveUsersStatements.usersOfSources(activity, RandomEvents.NOW.getEpochSecond()));
    }

    public static Uni<?> users(Pool pool, Activity activity) {
        return run(pool, ActiveUsersStatements.UPSERT_USERS, ActiveUsersStatements.users(activity));
    }

    public static Uni<?> usersWithoutDays(Pool pool, Activity activity) {
        return run(pool, USERS_WITHOUT_DAYS, ActiveUsersStatements.users(activity));
    }

    public static Uni<?> sums(Pool pool, Activity activity) {
        SummaryDeltas deltas = new SummaryDeltas(UTC);
        deltas.addEvents(activity);
        return run(pool, ActiveUsersStatements.UPSERT_SUMMARIES, deltas.tuple(0, RandomEvents.NOW, 0));
    }

    private static Uni<?> run(Pool pool, String statement, Tuple arguments) {
        return pool.preparedQuery(statement).execute(arguments);
    }
}
