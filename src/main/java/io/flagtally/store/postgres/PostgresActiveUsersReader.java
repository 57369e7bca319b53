package io.flagtally.store.postgres;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.SourceId;
import io.flagtally.series.ActiveUsersReader;
import io.flagtally.series.ActivityReading;
import io.flagtally.series.DateSpan;
import io.flagtally.series.MonthOfEnvironments;
import io.flagtally.series.PeriodActivity;
import io.flagtally.series.SeriesConfig;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.reactive.datasource.ReactiveDataSource;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Pool;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.RowSet;
import io.vertx.mutiny.sqlclient.SqlClient;
import io.vertx.mutiny.sqlclient.SqlConnection;
import io.vertx.mutiny.sqlclient.Tuple;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.LocalDate;
import java.time.YearMonth;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Reads active users: months and days from the summaries, spans of days from the users' rows; each read is of one state. */
@Singleton
public class PostgresActiveUsersReader implements ActiveUsersReader {

    private static final String COLUMNS = "select environment_namespace, period, source_id, sum(user_count)::bigint,"
            + " sum(event_count)::bigint, max(revised_at),"
            + " exists (select from closed_period c where c.period = s.period)";

    private static final String FROM = " from active_users_summary s where ";

    private static final String SUMMARIES = COLUMNS + FROM + "environment_namespace = any($1) and period = any($2)"
            + " group by environment_namespace, period, source_id";

    private static final String MONTH = COLUMNS + ", count(*) over ()" + FROM + "period = $1 and source_id = '*'"
            + " group by environment_namespace, period, source_id order by 1 limit $2";

    private static final String CLOSED = "select period from closed_period where period = any($1)";

    private final Pool pool;
    private final Duration patience;
    private final @Nullable ReplicaReads replica;

    /** @param pool of reads only, so that no write waits for one */
    @Inject
    PostgresActiveUsersReader(
            @ReactiveDataSource("reads") Pool pool,
            @ReactiveDataSource("replica") Pool replica,
            PostgresConfig config,
            SeriesConfig series,
            InstantSource clock,
            MeterRegistry meters) {
        this(
                pool,
                series.readTimeout(),
                config.replicaUrl().isPresent()
                        ? new ReplicaReads(replica, config.replicaTimeout(), clock, meters)
                        : null);
    }

    /** A reader that knows no replica. */
    public PostgresActiveUsersReader(Pool pool, Duration patience) {
        this(pool, patience, null);
    }

    PostgresActiveUsersReader(Pool pool, Duration patience, @Nullable ReplicaReads replica) {
        this.pool = pool;
        this.patience = patience;
        this.replica = replica;
    }

    @Override
    public Uni<ActivityReading> months(List<EnvironmentId> environments, YearMonth from, YearMonth to) {
        return readAtOnce(client -> Uni.combine()
                .all()
                .unis(closed(client, from, to), summaries(client, environments, texts(from, to)))
                .with((closed, rows) -> new ActivityReading(activity(rows), closed, null)));
    }

    /** Read from the primary: a report is sent once. */
    @Override
    public Uni<MonthOfEnvironments> month(YearMonth month, int environmentsMax) {
        return run(pool, MONTH, Tuple.of(ActiveUsersFlush.text(month), environmentsMax))
                .map(rows -> new MonthOfEnvironments(
                        activity(rows),
                        rows.size() == 0 ? 0 : rows.iterator().next().getLong(7) - rows.size()))
                .onFailure()
                .transform(PostgresFailure::away);
    }

    @Override
    public Uni<ActivityReading> days(EnvironmentId environment, DateSpan dates) {
        return readAtOnce(
                client -> summaries(client, List.of(environment), days(dates)).map(PostgresActiveUsersReader::reading));
    }

    @Override
    public Uni<ActivityReading> spans(EnvironmentId environment, List<DateSpan> spans, @Nullable SourceId only) {
        DateSpan whole = whole(spans);
        return read((snapshot, connection) -> {
            SpanActivity activity = new SpanActivity(environment, spans, only);
            return snapshot.readInTurn(
                            connection,
                            turns -> events(turns, environment, whole, activity)
                                    .chain(() -> users(turns, environment, UserSpans.of(spans), only, activity)))
                    // After the rows: a month is closed before they go, and they go for a state begun before, too.
                    .chain(() -> snapshot.read(
                            connection,
                            client -> closed(client, YearMonth.from(whole.from()), YearMonth.from(whole.to()))))
                    .map(closed -> new ActivityReading(activity.all(closed), closed, null));
        });
    }

    private Uni<ActivityReading> readAtOnce(Function<SqlClient, Uni<ActivityReading>> work) {
        return read((snapshot, connection) -> snapshot.read(connection, work));
    }

    /** Waiting for a connection, and for a replica, is part of what takes the reader's patience. */
    private Uni<ActivityReading> read(BiFunction<ReadSnapshot, SqlConnection, Uni<ActivityReading>> work) {
        return Uni.createFrom()
                .deferred(() -> {
                    ReadSnapshot snapshot = new ReadSnapshot(patience);
                    return read(connection -> work.apply(snapshot, connection));
                })
                .onFailure()
                .transform(PostgresFailure::away);
    }

    private Uni<ActivityReading> read(Function<SqlConnection, Uni<ActivityReading>> work) {
        Uni<ActivityReading> fromPrimary = HeldConnection.use(pool, work);
        return replica == null ? fromPrimary : replica.read(work, ActivityReading::of, fromPrimary);
    }

    private static DateSpan whole(List<DateSpan> spans) {
        return new DateSpan(
                spans.stream().map(DateSpan::from).min(LocalDate::compareTo).orElseThrow(),
                spans.stream().map(DateSpan::to).max(LocalDate::compareTo).orElseThrow());
    }

    private static Uni<Void> events(
            ReadSnapshot.Turns turns, EnvironmentId environment, DateSpan dates, SpanActivity activity) {
        return turns.run(SUMMARIES, Tuple.of(new String[] {environment.value()}, days(dates)))
                .invoke(sums -> activity(sums).forEach(activity::addEvents))
                .replaceWithVoid();
    }

    private static Uni<Void> users(
            ReadSnapshot.Turns turns,
            EnvironmentId environment,
            List<UserSpans> passes,
            @Nullable SourceId only,
            SpanActivity activity) {
        Tuple whose = only == null ? Tuple.of(environment.value()) : Tuple.of(environment.value(), only.name());
        Uni<Void> all = Uni.createFrom().voidItem();
        for (UserSpans pass : passes) {
            for (String sql : statements(pass, only, activity)) {
                all = all.chain(() -> turns.run(sql, whose))
                        .invoke(rows -> rows.forEach(row -> activity.addUsers(pass, row)))
                        .replaceWithVoid();
            }
        }
        return all;
    }

    /** The users of the only SDK are all users, which are counted by fewer rows. */
    private static List<String> statements(UserSpans pass, @Nullable SourceId only, SpanActivity activity) {
        if (only != null) {
            return List.of(pass.sqlOfSource());
        }
        return activity.isOfOneSource() ? List.of(pass.sql()) : List.of(pass.sql(), pass.sqlBySource());
    }

    private static Uni<Set<YearMonth>> closed(SqlClient client, YearMonth from, YearMonth to) {
        return run(client, CLOSED, Tuple.tuple().addArrayOfString(texts(from, to)))
                .map(rows -> {
                    Set<YearMonth> months = new HashSet<>();
                    rows.forEach(row -> months.add(month(row.getString(0))));
                    return months;
                });
    }

    private static Uni<RowSet<Row>> summaries(SqlClient client, List<EnvironmentId> environments, String[] periods) {
        String[] ids = environments.stream().map(EnvironmentId::value).toArray(String[]::new);
        return run(client, SUMMARIES, Tuple.of(ids, periods));
    }

    private static Uni<RowSet<Row>> run(SqlClient client, String sql, Tuple arguments) {
        return client.preparedQuery(sql).execute(arguments);
    }

    private static ActivityReading reading(RowSet<Row> rows) {
        return new ActivityReading(activity(rows), Set.of(), null);
    }

    private static List<PeriodActivity> activity(RowSet<Row> rows) {
        List<PeriodActivity> all = new ArrayList<>(rows.size());
        for (Row row : rows) {
            Long revised = row.getLong(5);
            all.add(new PeriodActivity(
                    new EnvironmentId(row.getString(0)),
                    dates(row.getString(1)),
                    source(row.getString(2)),
                    row.getLong(3),
                    row.getLong(4),
                    !row.getBoolean(6),
                    revised == null ? null : Instant.ofEpochSecond(revised)));
        }
        return all;
    }

    static @Nullable SourceId source(String text) {
        return text.equals(SummaryDeltas.ALL_SOURCES) ? null : SourceId.valueOf(text);
    }

    private static DateSpan dates(String period) {
        YearMonth month = month(period);
        if (period.length() == 6) {
            return new DateSpan(month.atDay(1), month.atEndOfMonth());
        }
        LocalDate day = month.atDay(Integer.parseInt(period.substring(6)));
        return new DateSpan(day, day);
    }

    private static YearMonth month(String period) {
        return YearMonth.of(Integer.parseInt(period.substring(0, 4)), Integer.parseInt(period.substring(4, 6)));
    }

    private static String[] days(DateSpan dates) {
        return dates.from()
                .datesUntil(dates.to().plusDays(1))
                .map(ActiveUsersFlush::text)
                .toArray(String[]::new);
    }

    private static String[] texts(YearMonth from, YearMonth to) {
        return Stream.iterate(from, month -> !month.isAfter(to), month -> month.plusMonths(1))
                .map(ActiveUsersFlush::text)
                .toArray(String[]::new);
    }
}
