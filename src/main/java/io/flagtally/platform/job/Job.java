package io.flagtally.platform.job;

import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.TemporalAmount;
import java.util.Optional;

/**
 * A port: work that runs now and then.
 *
 * <p>An implementation may be run again after a run that was cut short, and while its processes write at full speed.
 */
public interface Job {

    /** Its name at {@code /v1/batch/jobs}. */
    String name();

    /** How often it runs; empty for on demand only. What is no {@link Duration} has slots of its own. */
    Optional<? extends TemporalAmount> every();

    /** The part of its schedule that {@code now} is in, or missed last; it is run well once. */
    default String slot(Instant now) {
        return JobSchedule.slot(Duration.from(every().orElseThrow()), now);
    }

    /** How long after a failure it is run again. */
    default Duration retryAfter() {
        return Duration.ofMinutes(1);
    }

    /** How long a run may take; one that takes longer has failed. */
    default Duration timeout() {
        return Duration.ofHours(1);
    }

    /** Does the work, and gives a sentence on what was done. */
    Uni<String> run();
}
