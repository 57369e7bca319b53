package io.flagtally.platform.job;

import io.flagtally.platform.config.ProcessRole;
import io.flagtally.platform.config.RolesConfig;
import io.quarkus.scheduler.Scheduled;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.Cancellable;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jboss.logging.Logger;

/** Runs each job in each slot of its schedule, in one of the processes. A job that failed is tried again. */
@ApplicationScoped
public class JobSchedule {

    private static final Logger LOG = Logger.getLogger(JobSchedule.class);

    /** Each holds a connection while it runs. */
    private static final int AT_ONCE_MAX = 4;

    private final Collection<Job> jobs;
    private final JobLedger ledger;
    private final InstantSource clock;

    /** Jobs that this process has begun, or is about to. */
    private final Set<String> underWay = ConcurrentHashMap.newKeySet();

    @Inject
    JobSchedule(Jobs jobs, RolesConfig roles, JobLedger ledger, InstantSource clock) {
        this.jobs = roles.all().contains(ProcessRole.CONSUME) ? jobs.all() : List.of();
        this.ledger = ledger;
        this.clock = clock;
    }

    /** Begins what is due, a few at a time, and waits for none: a job that takes its time keeps itself only. */
    @Scheduled(identity = "jobs", every = "1m", delayed = "1m")
    void runDue() {
        List<Job> due = jobs.stream()
                .filter(job -> job.every().isPresent() && underWay.add(job.name()))
                .toList();
        Cancellable unused = Multi.createFrom()
                .iterable(due)
                .onItem()
                .transformToUni(this::run)
                .merge(AT_ONCE_MAX)
                .subscribe()
                .with(JobSchedule::log);
    }

    private Uni<Optional<JobRun>> run(Job job) {
        return Uni.createFrom()
                .deferred(() -> ledger.runOnce(job, job.slot(clock.instant())))
                .onFailure()
                .invoke(failure -> LOG.warnf("The job %s could not be run: %s", job.name(), failure))
                .onFailure()
                .recoverWithItem(Optional.empty())
                .onTermination()
                .invoke(() -> underWay.remove(job.name()));
    }

    /** Returns the slot of {@code now}: the last multiple of {@code every}, counted from 1970. */
    static String slot(Duration every, Instant now) {
        long length = Math.max(1, every.toSeconds());
        return Instant.ofEpochSecond(now.getEpochSecond() / length * length).toString();
    }

    private static void log(Optional<JobRun> run) {
        run.ifPresent(each -> {
            if (each.outcome() == JobRun.Outcome.FAILED) {
                LOG.warnf("The job %s failed: %s", each.job(), each.detail());
            } else {
                LOG.infof("The job %s is done: %s", each.job(), each.detail());
            }
        });
    }
}
