package io.flagtally.store.postgres;

import io.flagtally.platform.job.Job;
import io.flagtally.rollup.BucketCalendar;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Pool;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.SqlConnection;
import io.vertx.mutiny.sqlclient.Tuple;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.LocalDate;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Opens partitions ahead, and drops those that are past their retention. Writers are never kept waiting: a partition is
 * closed, then detached beside them, then dropped. What a run that was cut short left over, the next one ends.
 *
 * <p>A month is dropped when it and its last write are older than the retention; its sums stay. The event ids of a day
 * are dropped when no door takes events of it any more and no import wrote to it since, at the latest with its month.
 */
final class PartitionJob implements Job {

    private static final Duration EVERY = Duration.ofHours(1);

    /** Months that are opened ahead, beside the one that runs now. */
    private static final int MONTHS_AHEAD = 2;

    /** Days of event ids that are opened ahead, beside today. */
    private static final int DAYS_AHEAD = 3;

    /** After the end of a day, no door takes its events, and repeats of the last ones have come: 31 days, and two more. */
    private static final Duration DOORS_CLOSE_AFTER = Duration.ofDays(33);

    private static final DateTimeFormatter DAY = DateTimeFormatter.BASIC_ISO_DATE;

    private static final String PARTITIONS = "select c.relname, i.inhdetachpending from pg_inherits i"
            + " join pg_class c on c.oid = i.inhrelid where i.inhparent = $1::text::regclass order by 1";
    private static final String LAST_WRITE =
            "select coalesce(max(updated_at), 0) from active_users_summary where period = any($1)";
    private static final String CLOSE =
            "insert into closed_period (period, closed_at) values ($1, $2)" + " on conflict (period) do nothing";
    private static final String CLOSED = "select count(*) from closed_period where period = any($1)";

    private record Partition(String table, String period, boolean detaching) {}

    private final Pool pool;
    private final Periods periods;
    private final BucketCalendar calendar;
    private final int retentionMonths;
    private final InstantSource clock;

    PartitionJob(Pool pool, BucketCalendar calendar, int retentionMonths, InstantSource clock) {
        this.pool = pool;
        this.calendar = calendar;
        this.retentionMonths = retentionMonths;
        this.clock = clock;
        periods = new Periods(pool);
    }

    @Override
    public String name() {
        return "partitions";
    }

    @Override
    public Optional<Duration> every() {
        return Optional.of(EVERY);
    }

    @Override
    public Uni<String> run() {
        Instant now = clock.instant();
        periods.forget();
        return periods.open(ahead(now))
                .chain(closed -> drop("mau", now))
                .chain(months -> drop("mau_user", now)
                        .chain(users -> drop("event_identity", now))
                        .map(days -> "opened this month and " + MONTHS_AHEAD + " ahead; dropped " + months
                                + " months and the event ids of " + days + " days"));
    }

    private List<String> ahead(Instant now) {
        List<String> ahead = new ArrayList<>();
        YearMonth month = YearMonth.from(calendar.localDate(now));
        for (int i = 0; i <= MONTHS_AHEAD; i++) {
            ahead.add(ActiveUsersFlush.text(month.plusMonths(i)));
        }
        LocalDate today = LocalDate.ofInstant(now, ZoneOffset.UTC);
        for (int i = 0; i <= DAYS_AHEAD; i++) {
            ahead.add(ActiveUsersFlush.text(today.plusDays(i)));
        }
        return ahead;
    }

    /** Drops the partitions of {@code table} that are due, and gives how many they were. */
    private Uni<Long> drop(String table, Instant now) {
        return pool.preparedQuery(PARTITIONS)
                .execute(Tuple.of(table))
                .onItem()
                .transformToMulti(rows -> Multi.createFrom().iterable(rows))
                .map(row -> partition(table, row))
                .onItem()
                .transformToUniAndConcatenate(
                        partition -> isDue(partition, now).chain(due -> due ? drop(partition, now) : nothing()))
                .collect()
                .with(Collectors.summingLong(Long::longValue));
    }

    private static Uni<Long> nothing() {
        return Uni.createFrom().item(0L);
    }

    private static Partition partition(String table, Row row) {
        String name = row.getString(0);
        return new Partition(name, name.substring(table.length() + 1), row.getBoolean(1));
    }

    private Uni<Boolean> isDue(Partition partition, Instant now) {
        if (partition.detaching) {
            return Uni.createFrom().item(true);
        }
        return partition.period.length() == 6 ? isMonthDue(partition.period, now) : isDayDue(partition.period, now);
    }

    private Uni<Boolean> isMonthDue(String period, Instant now) {
        YearMonth month = YearMonth.of(Integer.parseInt(period.substring(0, 4)), Integer.parseInt(period.substring(4)));
        Instant keptFrom = calendar.dayStart(calendar.localDate(now).minusMonths(retentionMonths));
        if (calendar.dayStart(month.plusMonths(1).atDay(1)).isAfter(keptFrom)) {
            return Uni.createFrom().item(false);
        }
        return number(CLOSED, period)
                .chain(closed -> closed > 0
                        ? Uni.createFrom().item(true)
                        : number(LAST_WRITE, period)
                                .map(last -> Instant.ofEpochSecond(last).isBefore(keptFrom)));
    }

    private Uni<Boolean> isDayDue(String period, Instant now) {
        LocalDate day = LocalDate.parse(period, DAY);
        Instant doorsClosed =
                day.plusDays(1).atStartOfDay(ZoneOffset.UTC).toInstant().plus(DOORS_CLOSE_AFTER);
        if (doorsClosed.isAfter(now)) {
            return Uni.createFrom().item(false);
        }
        String[] months = {month(day.minusDays(1)), month(day.plusDays(1))};
        long distinct = months[0].equals(months[1]) ? 1 : 2;
        return number(CLOSED, months)
                .chain(closed -> closed == distinct
                        ? Uni.createFrom().item(true)
                        : number(
                                        LAST_WRITE,
                                        ActiveUsersFlush.text(day.minusDays(1)),
                                        period,
                                        ActiveUsersFlush.text(day.plusDays(1)))
                                .map(last -> Instant.ofEpochSecond(last).isBefore(doorsClosed)));
    }

    private static String month(LocalDate day) {
        return ActiveUsersFlush.text(YearMonth.from(day));
    }

    private Uni<Long> number(String sql, String... periodsAsked) {
        return pool.preparedQuery(sql)
                .execute(Tuple.tuple().addArrayOfString(periodsAsked))
                .map(rows -> rows.iterator().next().getLong(0));
    }

    /** Closes, detaches and drops. Detaching beside writers cannot be part of a transaction. */
    private Uni<Long> drop(Partition partition, Instant now) {
        String parent = partition.table.substring(0, partition.table.lastIndexOf('_'));
        String detach = "alter table " + parent + " detach partition " + partition.table
                + (partition.detaching ? " finalize" : " concurrently");
        return pool.preparedQuery(CLOSE)
                .execute(Tuple.of(partition.period, now.getEpochSecond()))
                .chain(closed -> HeldConnection.use(
                        pool,
                        connection -> run(connection, detach)
                                .chain(detached -> run(connection, "drop table " + partition.table))))
                .replaceWith(1L);
    }

    private static Uni<Void> run(SqlConnection connection, String statement) {
        return connection.query(statement).execute().replaceWithVoid();
    }
}
