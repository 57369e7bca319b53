package io.flagtally.pipeline;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;

/** The table of events at fault. */
@ConfigMapping(prefix = "flagtally.dead-letters")
public interface DeadLettersConfig {

    /** How long a letter is kept; then the hourly job {@code dead-letters} drops it. */
    @WithDefault("720H")
    Duration retention();

    /** How many letters are kept; the job drops the oldest beyond. */
    @WithDefault("1000000")
    int rowsMax();
}
