package io.flagtally.pipeline;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;
import java.util.List;

/** How files of events are imported ({@code POST /v1/import}). */
@ConfigMapping(prefix = "flagtally.import")
public interface ImportConfig {

    /** The sinks, of those of the pipeline, that take events of any age. The others take what is recent. */
    @WithDefault("mau")
    List<String> longTermSinks();

    /**
     * How old an event may be for the sinks that keep numbers for a while only. They recognise imported events for as
     * long, which Redis pays with 8 to 10 bytes for each of them.
     */
    @WithDefault("744H")
    Duration recentAge();

    /** Events that are written at once. */
    @WithDefault("5000")
    int batchSize();

    /** The longest line in bytes; a longer one is an error of that line. */
    @WithDefault("262144")
    int lineBytesMax();

    /** How many lines at fault the report names; the rest is counted. */
    @WithDefault("10000")
    int errorsMax();

    /** How many imports may run at once in this process; one more is answered 429. */
    @WithDefault("2")
    int runsMax();
}
