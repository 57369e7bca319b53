package io.flagtally.store.redis;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;

/** How events are counted. */
@ConfigMapping(prefix = "flagtally.counts")
public interface CountsConfig {

    /** How repeats are recognised. */
    DeduplicationConfig deduplication();

    /** How counters without an expiry are cleaned up. */
    SweepConfig sweep();

    /** Most variations of a flag; events of further ones are put aside with the reason {@code cardinality}. */
    @WithDefault("100")
    int variationsMax();

    /** Most flags of an environment; events of further ones are put aside with the reason {@code cardinality}. */
    @WithDefault("10000")
    int flagsMax();

    /** How repeats are recognised. */
    interface DeduplicationConfig {

        /** False counts every repeat again. For measuring what the protection costs; never for numbers that matter. */
        @WithDefault("true")
        boolean enabled();

        /**
         * How long an event is recognised when it comes again, since the last new event of its set. Redis' memory
         * grows with it: 8 to 10 bytes for each event of this time.
         */
        @WithDefault("24H")
        Duration window();
    }

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
