package io.flagtally.store.postgres;

import io.flagtally.pipeline.LedgerStore;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Pool;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.RowSet;
import io.vertx.mutiny.sqlclient.SqlClient;
import io.vertx.mutiny.sqlclient.Tuple;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** Keeps the ledger in {@code event_ledger}, {@code ledger_process}, {@code ledger_start} and {@code store_size}. */
@Singleton
public class PostgresLedgerStore implements LedgerStore {

    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final int PROCESSES_MAX = 1_000;

    private static final String PUT_PROCESS =
            "insert into ledger_process (instance, started_at, seen_at, ended, vitals) values ($1, $2, $3, $4, $5)"
                    + " on conflict (instance) do update set seen_at = greatest(ledger_process.seen_at, excluded.seen_at),"
                    + " ended = ledger_process.ended or excluded.ended,"
                    + " vitals = excluded.vitals";
    private static final String PUT_HOURS = "insert into event_ledger (hour, instance, entry, events)"
            + " select * from unnest($1::timestamptz[], $2::text[], $3::text[], $4::bigint[])"
            + " on conflict (hour, instance, entry) do update set events = greatest(event_ledger.events, excluded.events)"
            + " where event_ledger.events <> excluded.events";
    private static final String HOURS = "select hour, entry, sum(events)::bigint from event_ledger where hour >= $1"
            + " group by hour, entry order by hour desc";
    private static final String PROCESSES = "select instance, started_at, seen_at, ended, vitals from ledger_process"
            + " where seen_at >= $1 order by seen_at desc limit " + PROCESSES_MAX;
    private static final String SINCE_START = "select s.started_at,"
            + " (select coalesce(sum(events), 0)::bigint from event_ledger where entry = 'counted/mau'),"
            + " (select coalesce(sum(event_count), 0)::bigint from active_users_summary"
            + "  where source_id = '*' and length(period) = 6) - s.stored_events from ledger_start s";
    private static final String PUT_SAMPLES = "insert into store_size (sampled_at, store, kind, bytes)"
            + " values ($1, $2, $3, $4) on conflict do nothing";
    private static final String OLDEST_SAMPLES = "select distinct on (store, kind) sampled_at, store, kind, bytes"
            + " from store_size where sampled_at >= $1 order by store, kind, sampled_at";

    /** What is dropped is taken into the begin, so that what is left still adds up with the store. */
    private static final String FORGET_HOURS = "with gone as"
            + " (delete from event_ledger where hour < $1 returning entry, events)"
            + " update ledger_start set stored_events = stored_events"
            + " + (select coalesce(sum(events), 0) from gone where entry = 'counted/mau')";

    private static final List<String> FORGET = List.of(
            FORGET_HOURS,
            "delete from ledger_process where seen_at < $1",
            "delete from store_size where sampled_at < $1");

    private final Pool pool;

    @Inject
    public PostgresLedgerStore(Pool pool) {
        this.pool = pool;
    }

    @Override
    public Uni<Void> put(LedgerProcess process, Map<Instant, Map<String, Long>> hours) {
        List<OffsetDateTime> starts = new ArrayList<>();
        List<String> instances = new ArrayList<>();
        List<String> entries = new ArrayList<>();
        List<Long> events = new ArrayList<>();
        hours.forEach((hour, sums) -> sums.forEach((entry, sum) -> {
            starts.add(at(hour));
            instances.add(process.instance());
            entries.add(entry);
            events.add(sum);
        }));
        Tuple rows = Tuple.tuple()
                .addArrayOfOffsetDateTime(starts.toArray(OffsetDateTime[]::new))
                .addArrayOfString(instances.toArray(String[]::new))
                .addArrayOfString(entries.toArray(String[]::new))
                .addArrayOfLong(events.toArray(Long[]::new));
        Tuple self = Tuple.of(
                process.instance(), at(process.startedAt()), at(process.seenAt()), process.ended(), process.vitals());
        return told(pool.withTransaction(connection -> connection
                        .preparedQuery(PUT_HOURS)
                        .execute(rows)
                        .chain(done -> connection.preparedQuery(PUT_PROCESS).execute(self))))
                .replaceWithVoid();
    }

    @Override
    public Uni<List<Hour>> hours(Instant from) {
        return query(HOURS, Tuple.of(at(from))).map(rows -> {
            Map<Instant, Map<String, Long>> hours = new LinkedHashMap<>();
            rows.forEach(row -> hours.computeIfAbsent(instant(row, 0), hour -> new HashMap<>())
                    .put(row.getString(1), row.getLong(2)));
            return hours.entrySet().stream()
                    .map(hour -> new Hour(hour.getKey(), hour.getValue()))
                    .toList();
        });
    }

    @Override
    public Uni<List<LedgerProcess>> processes(Instant since) {
        return query(PROCESSES, Tuple.of(at(since)))
                .map(rows -> list(
                        rows,
                        row -> new LedgerProcess(
                                row.getString(0),
                                instant(row, 1),
                                instant(row, 2),
                                row.getBoolean(3),
                                row.getString(4))));
    }

    @Override
    public Uni<Optional<SinceStart>> sinceStart() {
        return query(SINCE_START, Tuple.tuple()).map(rows -> {
            List<SinceStart> found = list(rows, row -> new SinceStart(instant(row, 0), row.getLong(1), row.getLong(2)));
            return found.stream().findFirst();
        });
    }

    @Override
    public Uni<Void> putSamples(List<Sample> samples) {
        List<Tuple> rows = samples.stream()
                .map(sample -> Tuple.of(at(sample.at()), sample.store(), sample.kind(), sample.bytes()))
                .toList();
        return rows.isEmpty()
                ? Uni.createFrom().voidItem()
                : told(pool.preparedQuery(PUT_SAMPLES).executeBatch(rows)).replaceWithVoid();
    }

    @Override
    public Uni<List<Sample>> oldestSamples(Instant since) {
        return query(OLDEST_SAMPLES, Tuple.of(at(since)))
                .map(rows -> list(
                        rows, row -> new Sample(instant(row, 0), row.getString(1), row.getString(2), row.getLong(3))));
    }

    @Override
    public Uni<Void> forget(Instant before) {
        return told(pool.withTransaction(connection -> forget(connection, before)));
    }

    private static Uni<Void> forget(SqlClient connection, Instant before) {
        Uni<Void> all = Uni.createFrom().voidItem();
        for (String statement : FORGET) {
            all = all.chain(() -> connection
                    .preparedQuery(statement)
                    .execute(Tuple.of(at(before)))
                    .replaceWithVoid());
        }
        return all;
    }

    private Uni<RowSet<Row>> query(String sql, Tuple values) {
        return told(pool.preparedQuery(sql).execute(values));
    }

    private static <T> Uni<T> told(Uni<T> work) {
        return work.ifNoItem().after(TIMEOUT).fail().onFailure().transform(PostgresFailure::away);
    }

    private static <T> List<T> list(RowSet<Row> rows, Function<Row, T> of) {
        List<T> list = new ArrayList<>();
        rows.forEach(row -> list.add(of.apply(row)));
        return list;
    }

    private static Instant instant(Row row, int column) {
        return row.getOffsetDateTime(column).toInstant();
    }

    private static OffsetDateTime at(Instant instant) {
        return instant.atOffset(ZoneOffset.UTC);
    }
}
