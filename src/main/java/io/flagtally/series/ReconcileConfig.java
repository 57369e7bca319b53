package io.flagtally.series;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.net.URI;
import java.time.Duration;
import java.util.Map;

/** The counters that this one may be compared with; a URL that does not stand here is never called. */
@ConfigMapping(prefix = "flagtally.reconcile")
public interface ReconcileConfig {

    /** By a name of your own. */
    Map<String, Target> targets();

    /** How long one call to the other counter may take. */
    @WithDefault("10s")
    Duration callTimeout();

    /** How long a comparison may take. */
    @WithDefault("60s")
    Duration timeout();

    /** Flags that one comparison reads; with more the answer is 400. */
    @WithDefault("10000")
    int flagsMax();

    /** Differences in one answer. */
    @WithDefault("1000")
    int differencesMax();

    /** Another counter. */
    interface Target {

        /** Its address, such as {@code https://flags-old.example.com}. */
        URI url();

        /** A key of it that may read the environment. Better given through the environment than written into a file. */
        String key();
    }
}
