package io.flagtally.benchmark;

import io.flagtally.packaged.ServiceProcess;
import io.flagtally.testing.ActiveUsersTables;
import io.flagtally.testing.PostgresServerForTests;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.LocalDate;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Reads of active users over HTTP from the packaged service, beside counting the rows: two months of so many thousand users
 * of three SDKs with 20 events each, on days drawn evenly. What a flush would have left is written by SQL, which is sooner
 * done. Then, what the days of users cost on disk as a bit each, and as a row each.
 */
final class MauReadsBenchmark {

    private static final String USERS_OF_SOURCES =
            "insert into mau (environment_namespace, yearmonth, source_id, user_id,"
                    + " event_count, days, days_before, created_at, updated_at) select 'default', '%1$s', source, 'user-' || u, 7,"
                    + " (random() * 2147483647)::int & (random() * 2147483647)::int, 0, 0, 0"
                    + " from unnest(array['WEB', 'IOS', 'ANDROID']) as source, generate_series(1, %2$d) as u";

    private static final String USERS =
            "insert into mau_user (environment_namespace, yearmonth, user_id, days, days_before)"
                    + " select environment_namespace, yearmonth, user_id, bit_or(days), 0 from mau where yearmonth = '%1$s'"
                    + " group by 1, 2, 3";

    private static final String SUMMARIES = "insert into active_users_summary select 'default', p, s, shard, %2$d / 16,"
            + " %2$d * 20 / 16, 0, null from unnest(array['WEB', 'IOS', 'ANDROID', '*']) as s,"
            + " generate_series(0, 15) as shard, (select '%1$s' as p union all select '%1$s' || lpad(d::text, 2, '0')"
            + " from generate_series(1, 28) as d) as periods";

    private final ServiceProcess service;
    private final Statement sql;
    private final HttpClient http = HttpClient.newHttpClient();

    private MauReadsBenchmark(ServiceProcess service, Statement sql) {
        this.service = service;
        this.sql = sql;
    }

    static void main(String[] args) throws Exception {
        int users = 1_000 * (args.length > 0 ? Integer.parseInt(args[0]) : 1_000);
        Path directory = Files.createTempDirectory(Path.of("target"), "mau-reads");
        try (PostgresServerForTests server = PostgresServerForTests.start();
                Connection connection = ActiveUsersTables.at(server.port()).connect();
                Statement sql = connection.createStatement()) {
            YearMonth month = YearMonth.now(ZoneOffset.UTC);
            load(sql, month, users);
            load(sql, month.minusMonths(1), users);
            for (int back = 2; back < 12; back++) {
                execute(sql, SUMMARIES, month.minusMonths(back), users);
            }
            boolean vacuumed = sql.execute("vacuum analyze");
            try (ServiceProcess service = ServiceProcess.in(directory)
                    .with("-Dflagtally.postgres.url=postgresql://127.0.0.1:" + server.port() + "/postgres")
                    .with("-Dflagtally.postgres.username=postgres")
                    .with("-Dflagtally.series.read-timeout=60S")
                    .with("-Dflagtally.security.api-keys.reader.key=reader")
                    .with("-Dflagtally.security.api-keys.reader.roles=READ_ONLY")
                    .ready()) {
                new MauReadsBenchmark(service, sql).run(month);
            }
            daysOnDisk(sql, month);
        }
    }

    private static void load(Statement sql, YearMonth month, int users) throws SQLException {
        boolean opened = sql.execute("select open_period('" + text(month) + "')");
        execute(sql, USERS_OF_SOURCES, month, users);
        execute(sql, USERS, month, users);
        execute(sql, SUMMARIES, month, users);
    }

    private static void execute(Statement sql, String statement, YearMonth month, int users) throws SQLException {
        boolean done = sql.execute(String.format(statement, text(month), users));
    }

    private void run(YearMonth month) throws Exception {
        LocalDate today = LocalDate.now(ZoneOffset.UTC);
        String thisMonth = text(month);
        for (int round = 0; round < 2; round++) {
            System.out.println(round == 0 ? "warming up" : "measured");
            http("mau_count", "/v1/mau_count?yearMonth=" + thisMonth, 2_000);
            http("a year of months", "/v1/active_users?from=" + month.minusMonths(11), 1_000);
            http("31 days", "/v1/active_users?granularity=DAY&from=" + today.minusDays(30), 500);
            count("COUNT(*) over the rows of the month", thisMonth);
            http("4 weeks", "/v1/active_users?granularity=WEEK&from=" + today.minusDays(21), 10);
            http("ROLLING_30 of a day", "/v1/active_users?granularity=ROLLING_30&from=" + today, 10);
            http("ROLLING_28 of 28 days", "/v1/active_users?granularity=ROLLING_28&from=" + today.minusDays(27), 10);
            http("ROLLING_30 of 30 days", "/v1/active_users?granularity=ROLLING_30&from=" + today.minusDays(29), 10);
        }
    }

    private void http(String what, String path, int times) throws IOException, InterruptedException {
        List<Double> millis = new ArrayList<>();
        HttpRequest request = HttpRequest.newBuilder(
                        URI.create(service.uri(path).toString()))
                .header("authorization", "reader")
                .timeout(Duration.ofMinutes(2))
                .build();
        for (int i = 0; i < times; i++) {
            long start = System.nanoTime();
            HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() != 200) {
                throw new IOException(what + " is answered " + answer.body());
            }
            millis.add((System.nanoTime() - start) / 1e6);
        }
        print(what, millis);
    }

    private void count(String what, String month) throws SQLException {
        List<Double> millis = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            long start = System.nanoTime();
            try (ResultSet rows = sql.executeQuery("select count(*), sum(event_count) from mau"
                    + " where environment_namespace = 'default' and yearmonth = '" + month + "'")) {
                boolean any = rows.next();
            }
            millis.add((System.nanoTime() - start) / 1e6);
        }
        print(what, millis);
    }

    private static void print(String what, List<Double> millis) {
        Collections.sort(millis);
        System.out.printf(
                "%-40s p50 %.2f ms, p99 %.2f ms, of %d%n",
                what, millis.get(millis.size() / 2), millis.get(millis.size() * 99 / 100), millis.size());
    }

    private static void daysOnDisk(Statement sql, YearMonth month) throws SQLException {
        boolean made =
                sql.execute("create table day_of_user (environment_namespace varchar(255) collate \"C\" not null,"
                        + " day varchar(8) collate \"C\" not null, user_id varchar(255) collate \"C\" not null,"
                        + " primary key (environment_namespace, day, user_id)) with (fillfactor = 85)");
        made = sql.execute(
                "insert into day_of_user select environment_namespace, yearmonth || lpad(d::text, 2, '0'), user_id"
                        + " from mau_user, generate_series(1, 31) as d where yearmonth = '" + text(month)
                        + "' and days >> (d - 1) & 1 = 1 and hashtext(user_id) % 10 = 0");
        System.out.printf(
                "users %d, their days %d%n",
                number(sql, "select count(distinct user_id) from day_of_user"),
                number(sql, "select count(*) from day_of_user"));
        System.out.printf(
                "bytes on disk: a user and month of mau_user, days in bits %d; a user and day of rows %d%n",
                number(
                        sql,
                        "select pg_total_relation_size('mau_user_" + text(month) + "') / count(*) from mau_user_"
                                + text(month)),
                number(sql, "select pg_total_relation_size('day_of_user') / count(*) from day_of_user"));
    }

    private static long number(Statement sql, String query) throws SQLException {
        try (ResultSet rows = sql.executeQuery(query)) {
            return rows.next() ? rows.getLong(1) : 0;
        }
    }

    private static String text(YearMonth month) {
        return month.toString().replace("-", "");
    }
}
