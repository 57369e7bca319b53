package io.flagtally.store.redis;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;

/** How events are counted. */
@ConfigMapping(prefix = "flagtally.counts")
public interface CountsConfig {

    /** How counters without an expiry are cleaned up. */
    SweepConfig sweep();

    /** Most variations of a flag; events of further ones are put aside with the reason {@code cardinality}. */
    @WithDefault("100")
    int variationsMax();

    /** Most flags of an environment; events of further ones are put aside with the reason {@code cardinality}. */
    @WithDefault("10000")
    int flagsMax();

    /** How counters without an expiry are cleaned up. */
    interface SweepConfig {

        /** How often; {@code off} for never. */
        @WithDefault("1h")
        String every();

        /** Keys that are looked at in one step; the sweep pauses after each. */
        @WithDefault("500")
        int stepSize();

        /** The pause after a step, so that counting goes before sweeping. */
        @WithDefault("0.02S")
        Duration pause();
    }
}
