package io.flagtally.store.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vertx.mutiny.sqlclient.Row;
import java.util.Map;
import java.util.TreeMap;

/** What must hold between the tables of active users, whatever was written. */
final class ActiveUsersTables {

    private static final String SUMMARY = "select environment_namespace || ' ' || period || ' ' || source_id,"
            + " sum(user_count)::bigint, sum(event_count)::bigint from active_users_summary"
            + " group by 1 having sum(user_count) <> 0 or sum(event_count) <> 0";

    private static final String MONTHS_OF_SOURCES =
            "select environment_namespace || ' ' || yearmonth || ' ' || source_id,"
                    + " count(*), sum(event_count)::bigint from mau group by 1";

    private static final String MONTHS = "select environment_namespace || ' ' || yearmonth || ' *',"
            + " count(distinct user_id), sum(event_count)::bigint from mau group by 1";

    private static final String DAYS_OF_SOURCES =
            "select environment_namespace || ' ' || yearmonth || lpad(day::text, 2, '0') || ' ' || source_id, count(*)"
                    + " from mau, generate_series(1, 31) as day where days >> (day - 1) & 1 = 1 group by 1";

    private static final String DAYS =
            "select environment_namespace || ' ' || yearmonth || lpad(day::text, 2, '0') || ' *', count(distinct user_id)"
                    + " from mau, generate_series(1, 31) as day where days >> (day - 1) & 1 = 1 group by 1";

    private static final String DAYS_OF_USERS =
            "select environment_namespace || ' ' || yearmonth || lpad(day::text, 2, '0') || ' *', count(*)"
                    + " from mau_user, generate_series(1, 31) as day where days >> (day - 1) & 1 = 1 group by 1";

    private ActiveUsersTables() {}

    static void requireSummariesEqualRows(PostgresSinkFixture postgres) {
        Map<String, Long> users = new TreeMap<>();
        Map<String, Long> events = new TreeMap<>();
        for (String sql : new String[] {MONTHS_OF_SOURCES, MONTHS}) {
            for (Row row : postgres.query(sql)) {
                users.put(row.getString(0), row.getLong(1));
                events.put(row.getString(0), row.getLong(2));
            }
        }
        for (String sql : new String[] {DAYS_OF_SOURCES, DAYS}) {
            for (Row row : postgres.query(sql)) {
                users.put(row.getString(0), row.getLong(1));
            }
        }
        Map<String, Long> summaryUsers = new TreeMap<>();
        Map<String, Long> summaryMonthEvents = new TreeMap<>();
        for (Row row : postgres.query(SUMMARY)) {
            summaryUsers.put(row.getString(0), row.getLong(1));
            if (row.getString(0).split(" ")[1].length() == 6) {
                summaryMonthEvents.put(row.getString(0), row.getLong(2));
            }
        }
        Map<String, Long> days = new TreeMap<>();
        postgres.query(DAYS).forEach(row -> days.put(row.getString(0), row.getLong(1)));
        Map<String, Long> daysOfUsers = new TreeMap<>();
        postgres.query(DAYS_OF_USERS).forEach(row -> daysOfUsers.put(row.getString(0), row.getLong(1)));
        assertEquals(users, summaryUsers, "users of the summaries");
        assertEquals(events, summaryMonthEvents, "events of the summaries");
        assertEquals(days, daysOfUsers, "days of users, over all SDKs");
    }
}
