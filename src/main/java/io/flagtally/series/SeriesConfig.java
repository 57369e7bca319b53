package io.flagtally.series;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;

/** How numbers are read. */
@ConfigMapping(prefix = "flagtally.series")
public interface SeriesConfig {

    /** How long a read may take before it is answered 503. */
    @WithDefault("4S")
    Duration readTimeout();

    /** How many different reads may be under way at once; one more is answered 429. Equal reads are one. */
    @WithDefault("256")
    int distinctReadsMax();
}
