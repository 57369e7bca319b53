package io.flagtally.pipeline;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;

/** How repeats are recognised, by every sink. */
@ConfigMapping(prefix = "flagtally.deduplication")
public interface DeduplicationConfig {

    /** False counts every repeat again. For measuring what the protection costs; never for numbers that matter. */
    @WithDefault("true")
    boolean enabled();

    /**
     * How long an event is recognised when it comes again, since the last new event of its set. What a broker delivers
     * again later is put aside, never counted silently. Redis' memory grows with it: 10 to 20 bytes for each event of
     * this time.
     */
    @WithDefault("24H")
    Duration window();
}
