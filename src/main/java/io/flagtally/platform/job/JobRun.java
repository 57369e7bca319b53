package io.flagtally.platform.job;

import java.time.Instant;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.jspecify.annotations.Nullable;

/**
 * A run of a job.
 *
 * @param finishedAt null while it runs
 * @param detail what was done, or why it failed
 */
public record JobRun(
        String job, Instant startedAt, @Nullable Instant finishedAt, Outcome outcome, String detail) {

    /** What became of a run. */
    @Schema(name = "JobOutcome")
    public enum Outcome {
        RUNNING,
        OK,
        FAILED
    }
}
