package io.flagtally.store.postgres;

import io.flagtally.platform.error.UnavailableException;
import io.flagtally.platform.job.Job;
import io.flagtally.platform.job.JobLedger;
import io.flagtally.platform.job.JobRun;
import io.flagtally.platform.job.JobRun.Outcome;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Pool;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.SqlConnection;
import io.vertx.mutiny.sqlclient.Tuple;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Keeps runs in {@code job_run}. While a job runs its process holds an advisory lock on a connection of its own; with the
 * process ends the lock, and the run is taken up again.
 */
@Singleton
public class PostgresJobLedger implements JobLedger {

    private static final String LOCK = "select pg_try_advisory_lock(7302, hashtext($1))";
    private static final String UNLOCK = "select pg_advisory_unlock(7302, hashtext($1))";
    private static final String BEGIN = "insert into job_run (job, slot, started_at, outcome, detail)"
            + " values ($1, $2, $3, 'RUNNING', '') on conflict (job, slot) do update"
            + " set started_at = excluded.started_at, finished_at = null, outcome = 'RUNNING'"
            + " where job_run.outcome = 'RUNNING' or (job_run.outcome = 'FAILED' and job_run.finished_at <= $4)"
            + " returning job";
    private static final String END =
            "update job_run set finished_at = $3, outcome = $4, detail = $5 where job = $1 and slot = $2";
    private static final String FORGET = "delete from job_run where job = $1 and started_at < $2";
    private static final String LAST = "select distinct on (job) job, started_at, finished_at, outcome, detail"
            + " from job_run order by job, started_at desc";

    /** How long runs are remembered. */
    private static final Duration KEPT = Duration.ofDays(90);

    private final Pool pool;
    private final InstantSource clock;
    private final MeterRegistry meters;

    @Inject
    public PostgresJobLedger(Pool pool, InstantSource clock, MeterRegistry meters) {
        this.pool = pool;
        this.clock = clock;
        this.meters = meters;
    }

    @Override
    public Uni<Optional<JobRun>> runOnce(Job job, String slot) {
        return HeldConnection.use(pool, connection -> locked(connection, job, slot))
                .onFailure(failure -> !(failure instanceof UnavailableException))
                .transform(PostgresFailure::away);
    }

    private Uni<Optional<JobRun>> locked(SqlConnection connection, Job job, String slot) {
        return isTrue(connection, LOCK, job)
                .chain(locked -> locked
                        ? begun(connection, job, slot)
                                .onItemOrFailure()
                                .call((run, failure) -> isTrue(connection, UNLOCK, job))
                        : Uni.createFrom().item(Optional.empty()));
    }

    private Uni<Optional<JobRun>> begun(SqlConnection connection, Job job, String slot) {
        Instant start = clock.instant();
        return connection
                .preparedQuery(BEGIN)
                .execute(Tuple.of(job.name(), slot, at(start), at(start.minus(job.retryAfter()))))
                .onFailure()
                .transform(PostgresFailure::away)
                .chain(begun -> begun.size() == 0
                        ? Uni.createFrom().item(Optional.empty())
                        : Uni.createFrom()
                                .deferred(job::run)
                                .ifNoItem()
                                .after(job.timeout())
                                .failWith(() -> new IllegalStateException("it did not end within " + job.timeout()))
                                .map(detail -> new JobRun(job.name(), start, clock.instant(), Outcome.OK, detail))
                                .onFailure()
                                .recoverWithItem(failure -> new JobRun(
                                        job.name(), start, clock.instant(), Outcome.FAILED, failure.toString()))
                                .call(run -> end(connection, slot, run))
                                .map(Optional::of));
    }

    private Uni<Void> end(SqlConnection connection, String slot, JobRun run) {
        Instant finished = run.finishedAt() == null ? clock.instant() : run.finishedAt();
        Timer.builder("flagtally.store.jobs")
                .tag("job", run.job())
                .tag("outcome", run.outcome() == Outcome.OK ? "ok" : "failed")
                .register(meters)
                .record(Duration.between(run.startedAt(), finished));
        return connection
                .preparedQuery(END)
                .execute(Tuple.of(run.job(), slot, at(finished), run.outcome().name(), run.detail()))
                .chain(ended -> connection.preparedQuery(FORGET).execute(Tuple.of(run.job(), at(finished.minus(KEPT)))))
                .onFailure()
                .transform(PostgresFailure::away)
                .replaceWithVoid();
    }

    @Override
    public Uni<List<JobRun>> last() {
        return pool.query(LAST)
                .execute()
                .onFailure()
                .transform(PostgresFailure::away)
                .map(rows -> {
                    List<JobRun> runs = new ArrayList<>();
                    rows.forEach(row -> runs.add(run(row)));
                    return runs;
                });
    }

    private static JobRun run(Row row) {
        OffsetDateTime finished = row.getOffsetDateTime(2);
        return new JobRun(
                row.getString(0),
                row.getOffsetDateTime(1).toInstant(),
                finished == null ? null : finished.toInstant(),
                Outcome.valueOf(row.getString(3)),
                row.getString(4));
    }

    private static Uni<Boolean> isTrue(SqlConnection connection, String sql, Job job) {
        return connection
                .preparedQuery(sql)
                .execute(Tuple.of(job.name()))
                .onFailure()
                .transform(PostgresFailure::away)
                .map(rows -> Boolean.TRUE.equals(rows.iterator().next().getBoolean(0)));
    }

    private static OffsetDateTime at(Instant instant) {
        return instant.atOffset(ZoneOffset.UTC);
    }
}
