package io.flagtally.platform.job;

import io.smallrye.mutiny.Uni;
import java.util.List;
import java.util.Optional;

/** A port: remembers runs, and lets a job run once across all processes. */
public interface JobLedger {

    /**
     * Runs {@code job} unless it is running somewhere, was run well for {@code slot}, or failed for it less than
     * {@link Job#retryAfter} ago; then the answer is empty. A job that fails gives a run that says so.
     *
     * @param slot the part of the job's schedule that this run is for
     */
    Uni<Optional<JobRun>> runOnce(Job job, String slot);

    /** Returns the last run of each job that ever ran. */
    Uni<List<JobRun>> last();
}
