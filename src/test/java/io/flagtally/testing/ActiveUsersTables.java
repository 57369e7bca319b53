package io.flagtally.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.flagtally.platform.embedded.LoopbackPort;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.TreeMap;

/** Looks into the tables of active users, and knows what must hold between them, whatever was written. */
public final class ActiveUsersTables {

    private static final String SUMMARY = "select environment_namespace || ' ' || period || ' ' || source_id,"
            + " sum(user_count)::bigint, sum(event_count)::bigint from active_users_summary"
            + " group by 1 having sum(user_count) <> 0 or sum(event_count) <> 0";

    private static final String MONTHS_OF_SOURCES =
            "select environment_namespace || ' ' || yearmonth || ' ' || source_id,"
                    + " count(*), sum(event_count)::bigint from mau group by 1";

    private static final String MONTHS = "select environment_namespace || ' ' || yearmonth || ' *',"
            + " count(distinct user_id), sum(event_count)::bigint from mau group by 1";

    private static final String DAYS_OF_SOURCES =
            "select environment_namespace || ' ' || yearmonth || lpad(day::text, 2, '0') || ' ' || source_id, count(*),"
                    + " 0 from mau, generate_series(1, 31) as day where days >> (day - 1) & 1 = 1 group by 1";

    private static final String DAYS =
            "select environment_namespace || ' ' || yearmonth || lpad(day::text, 2, '0') || ' *', count(distinct user_id),"
                    + " 0 from mau, generate_series(1, 31) as day where days >> (day - 1) & 1 = 1 group by 1";

    private static final String DAYS_OF_USERS =
            "select environment_namespace || ' ' || yearmonth || lpad(day::text, 2, '0') || ' *', count(*), 0"
                    + " from mau_user, generate_series(1, 31) as day where days >> (day - 1) & 1 = 1 group by 1";

    /** Users and events of a period. */
    public record Sum(long users, long events) {}

    private final String url;
    private final String username;

    private ActiveUsersTables(String url, String username) {
        this.url = url;
        this.username = username;
    }

    /** The tables in the database {@code postgres} of a server of tests. */
    public static ActiveUsersTables at(int port) {
        return new ActiveUsersTables("jdbc:postgresql://" + LoopbackPort.HOST + ":" + port + "/postgres", "postgres");
    }

    /** What the summaries say, by environment, period and SDK ({@code default 202611 *}). */
    public Map<String, Sum> summaries() {
        return sums(SUMMARY);
    }

    /** Returns the one number that {@code sql} asks for. */
    public long number(String sql) {
        return sums("select '', coalesce((" + sql + "), 0), 0")
                .values()
                .iterator()
                .next()
                .users;
    }

    /** Asserts that the summaries say what the rows say, by month and day, by SDK and over all of them. */
    public void requireSummariesEqualRows() {
        Map<String, Long> users = new TreeMap<>();
        Map<String, Long> events = new TreeMap<>();
        for (String sql : new String[] {MONTHS_OF_SOURCES, MONTHS}) {
            sums(sql).forEach((key, sum) -> {
                users.put(key, sum.users);
                events.put(key, sum.events);
            });
        }
        Map<String, Sum> days = sums(DAYS);
        sums(DAYS_OF_SOURCES).forEach((key, sum) -> users.put(key, sum.users));
        days.forEach((key, sum) -> users.put(key, sum.users));
        Map<String, Long> summaryUsers = new TreeMap<>();
        Map<String, Long> summaryMonthEvents = new TreeMap<>();
        summaries().forEach((key, sum) -> {
            if (sum.users != 0) {
                summaryUsers.put(key, sum.users);
            }
            if (key.split(" ")[1].length() == 6) {
                summaryMonthEvents.put(key, sum.events);
            }
        });
        assertEquals(users, summaryUsers, "users of the summaries");
        assertEquals(events, summaryMonthEvents, "events of the summaries");
        assertEquals(days, sums(DAYS_OF_USERS), "days of users, over all SDKs");
    }

    /** A connection of one's own. */
    public Connection connect() throws SQLException {
        return DriverManager.getConnection(url, username, "postgres");
    }

    private Map<String, Sum> sums(String sql) {
        Map<String, Sum> sums = new TreeMap<>();
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                sums.put(rows.getString(1), new Sum(rows.getLong(2), rows.getLong(3)));
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        return sums;
    }
}
