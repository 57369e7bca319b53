package io.flagtally.platform.job;

import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.util.Optional;

/**
 * A port: work that runs now and then.
 *
 * <p>An implementation may be run again after a run that was cut short, and while its processes write at full speed.
 */
public interface Job {

    /** Its name at {@code /v1/batch/jobs}. */
    String name();

    /** How often it runs; empty for on demand only. */
    Optional<Duration> every();

    /** Does the work, and gives a sentence on what was done. */
    Uni<String> run();
}
