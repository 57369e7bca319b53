package io.flagtally.store.postgres;

import io.flagtally.platform.job.Job;
import io.flagtally.rollup.BucketCalendar;
import io.smallrye.mutiny.CompositeException;
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
import java.util.Locale;
import java.util.Optional;

/**
 * Opens partitions ahead, and drops those that are past their retention. Writers are never kept waiting: a partition is
 * detached beside them, then dropped. What a run that was cut short left over, the next one ends.
 *
 * <p>A month is closed, then dropped, when it and its last write are older than the retention; its sums stay. The event
 * ids of a day are dropped some time after no door takes events of it any more, at the latest with its months, and not
 * before them if an import wrote to it.
 */
final class PartitionJob implements Job {

    private static final Duration EVERY = Duration.ofHours(1);

    /** Months that are opened ahead, beside the one that runs now. */
    private static final int MONTHS_AHEAD = 2;

    /** Days of event ids that are opened ahead, beside today. */
    private static final int DAYS_AHEAD = 3;

    private static final DateTimeFormatter MONTH = DateTimeFormatter.ofPattern("uuuuMM", Locale.ROOT);
    private static final DateTimeFormatter DAY = DateTimeFormatter.BASIC_ISO_DATE;

    /** The table whose partitions are days. */
    private static final String EVENT_IDS = "event_identity";

    /**
     * What is being detached first, since a table detaches one partition at a time; then months, so that days know that
     * theirs are closed.
     */
    private static final String PARTITIONS =
            "select c.relname, i.inhrelid is not null, coalesce(i.inhdetachpending, false)"
                    + " from pg_class c left join pg_inherits i on i.inhrelid = c.oid"
                    + " where c.relkind = 'r' and c.relname ~ '^(mau|mau_user|event_identity)_[0-9]+$'"
                    + " and c.relnamespace = (select relnamespace from pg_class where oid = 'mau'::regclass)"
                    + " order by 3 desc, 1 desc";

    private static final String LAST_WRITE =
            "select coalesce(max(updated_at), 0) from active_users_summary where period = any($1)";
    private static final String CLOSE =
            "insert into closed_period (period, closed_at) values ($1, $2)" + " on conflict (period) do nothing";
    private static final String CLOSED = "select count(*) from closed_period where period = any($1)";
    private static final String IMPORTED = "select count(*) from imported_day where day = any($1)";
    private static final String DROP_EVENT_IDS = "select drop_event_ids($1, $2, $3, $4)";

    /** How a partition hangs on its table. */
    private enum Bond {
        ATTACHED,
        /** Detaching was begun, and cut short. */
        DETACHING,
        /** Detached, and not dropped, by a run that was cut short, or by somebody: once the month is closed, it is the same. */
        DETACHED
    }

    private record Partition(String table, Bond bond) {

        static Partition of(Row row) {
            Bond attached = row.getBoolean(2) ? Bond.DETACHING : Bond.ATTACHED;
            return new Partition(row.getString(0), row.getBoolean(1) ? attached : Bond.DETACHED);
        }

        String parent() {
            return table.substring(0, table.lastIndexOf('_'));
        }

        String period() {
            return table.substring(table.lastIndexOf('_') + 1);
        }

        boolean isOfEventIds() {
            return parent().equals(EVENT_IDS);
        }
    }

    private final Pool pool;
    private final Periods periods;
    private final BucketCalendar calendar;
    private final Retention retention;
    private final InstantSource clock;

    /**
     * How long things are kept.
     *
     * @param months of the rows of a month, after its end and its last write
     * @param eventIds of the event ids of a day, after its end
     * @param lockWait how long detaching, and dropping, waits for transactions under way
     */
    record Retention(int months, Duration eventIds, Duration lockWait) {}

    PartitionJob(Pool pool, BucketCalendar calendar, Retention retention, InstantSource clock) {
        this.pool = pool;
        this.calendar = calendar;
        this.retention = retention;
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

    /** One partition that cannot be dropped now keeps no other one. */
    @Override
    public Uni<String> run() {
        Instant now = clock.instant();
        periods.forget();
        return periods.open(ahead(now))
                .chain(opened -> pool.query(PARTITIONS).execute())
                .onItem()
                .transformToMulti(rows -> Multi.createFrom().iterable(rows))
                .map(Partition::of)
                .onItem()
                .transformToUni(partition -> dropIfDue(partition, now).map(dropped -> dropped ? partition.table : ""))
                .collectFailures()
                .concatenate()
                .collect()
                .asList()
                .map(PartitionJob::sentence)
                .onFailure(CompositeException.class)
                .transform(PartitionJob::summed);
    }

    private static Throwable summed(Throwable failures) {
        List<Throwable> causes = ((CompositeException) failures).getCauses();
        return new IllegalStateException(
                causes.size() + " partitions could not be dropped; the first: "
                        + causes.get(0).getMessage(),
                failures);
    }

    private static String sentence(List<String> dropped) {
        long days =
                dropped.stream().filter(table -> table.startsWith(EVENT_IDS)).count();
        long months =
                dropped.stream().filter(table -> table.startsWith("mau_user_")).count();
        return "opened this month and " + MONTHS_AHEAD + " ahead; dropped " + months + " months and the event ids of "
                + days + " days";
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

    private Uni<Boolean> dropIfDue(Partition partition, Instant now) {
        return partition.isOfEventIds() ? dropDayIfDue(partition, now) : dropMonthIfDue(partition, now);
    }

    private Uni<Boolean> dropMonthIfDue(Partition partition, Instant now) {
        String period = partition.period();
        return number(CLOSED, period)
                .chain(closed -> closed > 0 ? Uni.createFrom().item(true) : isMonthDue(partition, now))
                .chain(due -> due ? dropMonth(partition, now) : Uni.createFrom().item(false));
    }

    private Uni<Boolean> isMonthDue(Partition partition, Instant now) {
        YearMonth month = YearMonth.parse(partition.period(), MONTH);
        Instant keptFrom = calendar.dayStart(calendar.localDate(now).minusMonths(retention.months));
        boolean kept = calendar.dayStart(month.plusMonths(1).atDay(1)).isAfter(keptFrom);
        return kept || partition.bond == Bond.DETACHED
                ? Uni.createFrom().item(false)
                : number(LAST_WRITE, partition.period())
                        .map(last -> Instant.ofEpochSecond(last).isBefore(keptFrom));
    }

    private Uni<Boolean> dropMonth(Partition partition, Instant now) {
        return pool.preparedQuery(CLOSE)
                .execute(Tuple.of(partition.period(), now.getEpochSecond()))
                .chain(closed -> runPatiently(detachAndDrop(partition)))
                .replaceWith(true);
    }

    private Uni<Boolean> dropDayIfDue(Partition partition, Instant now) {
        LocalDate day = LocalDate.parse(partition.period(), DAY);
        Instant keptUntil =
                day.plusDays(1).atStartOfDay(ZoneOffset.UTC).toInstant().plus(retention.eventIds);
        if (keptUntil.isAfter(now) && partition.bond != Bond.DETACHING) {
            return Uni.createFrom().item(false);
        }
        List<LocalDate> dates = dates(day);
        String[] months = dates.stream()
                .map(date -> ActiveUsersFlush.text(YearMonth.from(date)))
                .distinct()
                .toArray(String[]::new);
        return number(CLOSED, months)
                .map(closed -> closed == months.length)
                .chain(monthsClosed -> isDayDue(partition, texts(dates), monthsClosed, keptUntil)
                        .chain(due -> due
                                ? dropDay(partition, texts(dates), monthsClosed, now)
                                : Uni.createFrom().item(false)));
    }

    /** Returns the local dates that a day of UTC touches. */
    private List<LocalDate> dates(LocalDate day) {
        Instant start = day.atStartOfDay(ZoneOffset.UTC).toInstant();
        Instant last = day.plusDays(1).atStartOfDay(ZoneOffset.UTC).toInstant().minusSeconds(1);
        return calendar.localDate(start)
                .datesUntil(calendar.localDate(last).plusDays(1))
                .toList();
    }

    private static String[] texts(List<LocalDate> dates) {
        return dates.stream().map(ActiveUsersFlush::text).toArray(String[]::new);
    }

    /** What was begun is ended: nothing else can be detached before. */
    private Uni<Boolean> isDayDue(Partition partition, String[] dates, boolean monthsClosed, Instant keptUntil) {
        if (monthsClosed || partition.bond == Bond.DETACHING) {
            return Uni.createFrom().item(true);
        }
        return number(IMPORTED, partition.period())
                .chain(imported -> imported > 0
                        ? Uni.createFrom().item(false)
                        : number(LAST_WRITE, dates)
                                .map(last -> Instant.ofEpochSecond(last).isBefore(keptUntil)));
    }

    private Uni<Boolean> dropDay(Partition partition, String[] dates, boolean monthsClosed, Instant now) {
        return runPatiently(detach(partition))
                .chain(detached -> pool.preparedQuery(DROP_EVENT_IDS)
                        .execute(Tuple.of(partition.period(), dates, monthsClosed, now.getEpochSecond())))
                .map(rows -> rows.iterator().next().getBoolean(0));
    }

    private Uni<Long> number(String sql, String... periodsAsked) {
        return pool.preparedQuery(sql)
                .execute(Tuple.tuple().addArrayOfString(periodsAsked))
                .map(rows -> rows.iterator().next().getLong(0));
    }

    /** Detaches beside writers. */
    private static List<String> detach(Partition partition) {
        return switch (partition.bond) {
            case ATTACHED -> List.of(alter(partition) + " concurrently");
            case DETACHING -> List.of(alter(partition) + " finalize");
            case DETACHED -> List.of();
        };
    }

    private static List<String> detachAndDrop(Partition partition) {
        List<String> statements = new ArrayList<>(detach(partition));
        statements.add("drop table if exists " + partition.table);
        return statements;
    }

    private static String alter(Partition partition) {
        return "alter table " + partition.parent() + " detach partition " + partition.table;
    }

    /** Runs what cannot be one transaction, and does not wait for ever for those of others. */
    private Uni<Void> runPatiently(List<String> statements) {
        return HeldConnection.use(pool, connection -> {
            Uni<Void> all = run(connection, "set lock_timeout = " + retention.lockWait.toMillis());
            for (String statement : statements) {
                all = all.chain(() -> run(connection, statement));
            }
            return all.onItemOrFailure().call((done, failure) -> run(connection, "reset lock_timeout"));
        });
    }

    private static Uni<Void> run(SqlConnection connection, String statement) {
        return connection.query(statement).execute().replaceWithVoid();
    }
}
