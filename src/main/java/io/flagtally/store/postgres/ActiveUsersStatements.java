package io.flagtally.store.postgres;

import io.flagtally.event.UserId;
import io.flagtally.rollup.ActiveDays;
import io.flagtally.rollup.Activity;
import io.flagtally.rollup.ActivityKey;
import io.vertx.mutiny.sqlclient.Tuple;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

/**
 * The statements of a flush, one a table. Their rows are sorted by the table's key, so that every transaction locks
 * rows in one order: first event ids, then users, then users of an SDK, then summaries.
 */
final class ActiveUsersStatements {

    /** Gives the ids that were not there. */
    static final String INSERT_IDENTITIES =
            "insert into event_identity select unnest($1::uuid[]) on conflict do nothing returning id";

    /** Has the event ids of days kept until their months are closed. */
    static final String KEEP_IDENTITIES = "insert into imported_day select unnest($1::text[]) on conflict do nothing";

    /**
     * Gives days and environments whose event ids were dropped. Exact for partitions that the same transaction has
     * written ids to: none of them can be dropped before its end.
     */
    static final String DROPPED_IDENTITIES =
            "select day, environment_namespace from dropped_event_ids where day = any($1)"
                    + " and environment_namespace = any($2)";

    /**
     * Gives, by environment, month and set of days that became active with this write, how many users, and for how many
     * of them it was the first of the month. A user of whom nothing becomes known is not written.
     */
    static final String UPSERT_USERS = "with written as ("
            + "insert into mau_user as kept (environment_namespace, yearmonth, user_id, days, days_before)"
            + " select e, m, u, d, 0 from unnest($1::text[], $2::text[], $3::text[], $4::int[]) as row(e, m, u, d)"
            + " on conflict (environment_namespace, yearmonth, user_id) do update"
            + " set days_before = kept.days, days = kept.days | excluded.days"
            + " where kept.days | excluded.days <> kept.days"
            + " returning environment_namespace e, yearmonth m, days & ~days_before added, days_before = 0 as is_first)"
            + " select e, m, '*', added, count(*), count(*) filter (where is_first) from written group by e, m, added";

    /** Gives the same by SDK. */
    static final String UPSERT_USERS_OF_SOURCES = "with written as ("
            + "insert into mau as kept (environment_namespace, yearmonth, source_id, user_id, event_count, days,"
            + " days_before, created_at, updated_at)"
            + " select e, m, s, u, n, d, 0, $7, $7"
            + " from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::int[])"
            + " as row(e, m, s, u, n, d)"
            + " on conflict (environment_namespace, yearmonth, source_id, user_id) do update"
            + " set event_count = kept.event_count + excluded.event_count, days_before = kept.days,"
            + " days = kept.days | excluded.days, updated_at = greatest(kept.updated_at, excluded.updated_at)"
            + " returning environment_namespace e, yearmonth m, source_id s, days & ~days_before added,"
            + " days_before = 0 as is_first)"
            + " select e, m, s, added, count(*), count(*) filter (where is_first) from written where added <> 0"
            + " group by e, m, s, added";

    static final String UPSERT_SUMMARIES = "insert into active_users_summary as kept"
            + " (environment_namespace, period, source_id, shard, user_count, event_count, updated_at, revised_at)"
            + " select e, p, s, $6, u, n, $7, r"
            + " from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $8::bigint[])"
            + " as row(e, p, s, u, n, r)"
            + " on conflict (environment_namespace, period, source_id, shard) do update"
            + " set user_count = kept.user_count + excluded.user_count,"
            + " event_count = kept.event_count + excluded.event_count,"
            + " updated_at = greatest(kept.updated_at, excluded.updated_at),"
            + " revised_at = greatest(kept.revised_at, excluded.revised_at)";

    private record UserMonth(String environment, String month, UserId user) {}

    private static final Comparator<UserMonth> USERS = Comparator.comparing(UserMonth::environment)
            .thenComparing(UserMonth::month)
            .thenComparing(row -> row.user().value());

    private static final Comparator<Map.Entry<ActivityKey, ActiveDays>> USERS_OF_SOURCES = Comparator.comparing(
                    (Map.Entry<ActivityKey, ActiveDays> row) ->
                            row.getKey().environment().value())
            .thenComparing(row -> row.getKey().month())
            .thenComparing(row -> row.getKey().source().name())
            .thenComparing(row -> row.getKey().user().value());

    private ActiveUsersStatements() {}

    static Tuple identities(UUID[] keys) {
        return Tuple.tuple().addArrayOfUUID(keys);
    }

    static Tuple users(Activity activity) {
        TreeMap<UserMonth, Integer> rows = new TreeMap<>(USERS);
        activity.users()
                .forEach((key, days) -> rows.merge(
                        new UserMonth(key.environment().value(), ActiveUsersFlush.text(key.month()), key.user()),
                        days.days(),
                        (a, b) -> a | b));
        String[] environments = new String[rows.size()];
        String[] months = new String[rows.size()];
        String[] users = new String[rows.size()];
        Integer[] days = new Integer[rows.size()];
        int at = 0;
        for (Map.Entry<UserMonth, Integer> row : rows.entrySet()) {
            environments[at] = row.getKey().environment();
            months[at] = row.getKey().month();
            users[at] = row.getKey().user().value();
            days[at++] = row.getValue();
        }
        return Tuple.tuple()
                .addArrayOfString(environments)
                .addArrayOfString(months)
                .addArrayOfString(users)
                .addArrayOfInteger(days);
    }

    static Tuple usersOfSources(Activity activity, long nowSeconds) {
        List<Map.Entry<ActivityKey, ActiveDays>> rows =
                activity.users().entrySet().stream().sorted(USERS_OF_SOURCES).toList();
        String[] environments = new String[rows.size()];
        String[] months = new String[rows.size()];
        String[] sources = new String[rows.size()];
        String[] users = new String[rows.size()];
        Long[] events = new Long[rows.size()];
        Integer[] days = new Integer[rows.size()];
        for (int i = 0; i < rows.size(); i++) {
            ActivityKey key = rows.get(i).getKey();
            environments[i] = key.environment().value();
            months[i] = ActiveUsersFlush.text(key.month());
            sources[i] = key.source().name();
            users[i] = key.user().value();
            events[i] = rows.get(i).getValue().events();
            days[i] = rows.get(i).getValue().days();
        }
        return Tuple.tuple()
                .addArrayOfString(environments)
                .addArrayOfString(months)
                .addArrayOfString(sources)
                .addArrayOfString(users)
                .addArrayOfLong(events)
                .addArrayOfInteger(days)
                .addLong(nowSeconds);
    }
}
