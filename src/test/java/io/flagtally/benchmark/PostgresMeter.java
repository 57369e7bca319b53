package io.flagtally.benchmark;

import io.vertx.mutiny.sqlclient.Pool;
import java.time.Duration;

/** Reads what a PostgreSQL of this machine has used so far. */
final class PostgresMeter {

    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final Pool pool;

    PostgresMeter(Pool pool) {
        this.pool = pool;
    }

    /** CPU time of all its living processes, in seconds. */
    double cpuSeconds() {
        ProcessHandle server = ProcessHandle.of(number("select pg_backend_pid()"))
                .flatMap(ProcessHandle::parent)
                .orElseThrow();
        return seconds(server)
                + server.descendants().mapToDouble(PostgresMeter::seconds).sum();
    }

    /** What it has written to its log of changes, in bytes. */
    double walBytes() {
        return number("select (pg_current_wal_insert_lsn() - '0/0')::bigint");
    }

    /** What a partitioned table takes on disk with its indexes, in bytes. */
    double diskBytes(String table) {
        return number("select sum(pg_total_relation_size(relid))::bigint from pg_partition_tree('" + table + "')");
    }

    long number(String sql) {
        return pool.query(sql)
                .execute()
                .await()
                .atMost(PATIENCE)
                .iterator()
                .next()
                .getLong(0);
    }

    private static double seconds(ProcessHandle process) {
        return process.info().totalCpuDuration().orElse(Duration.ZERO).toNanos() / 1e9;
    }
}
