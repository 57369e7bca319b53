package io.flagtally.pipeline;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;
import java.util.List;

/** How events are gathered, written and retried. */
@ConfigMapping(prefix = "flagtally.pipeline")
public interface PipelineConfig {

    /**
     * The sinks that a message must be written to before it is acknowledged, in this order: {@code mau} (active users,
     * in PostgreSQL), {@code counts} (in Redis; last, so that little lies between its write and the acknowledgement).
     */
    @WithDefault("mau,counts")
    List<String> sinks();

    Batch batch();

    Retry retry();

    /** How many batches are written at once. While they are, the next one gathers. */
    @WithDefault("2")
    int inFlightMax();

    /** How long a stop waits for what is in flight; what is not written by then was never acknowledged. */
    @WithDefault("10s")
    Duration drainTimeout();

    /** When a batch is full. */
    interface Batch {

        /** Events in a batch; a message is never split, so a batch may be larger by one message. */
        @WithDefault("10000")
        int sizeMax();

        /**
         * Bytes of the messages of a batch; it may be larger by one message. The process holds at most this much for each
         * batch in flight and the one that gathers, with a message more in each.
         */
        @WithDefault("25165824")
        int bytesMax();

        /** How long a batch gathers while another one is being written; with none in flight it is written at once. */
        @WithDefault("25ms")
        Duration linger();

        /**
         * The least time from the start of one batch to the next one, unless that is full: what comes in between shares
         * the next. A quick store would be given many small batches otherwise, each at the price of a large one. What
         * comes after a pause does not wait.
         */
        @WithDefault("10ms")
        Duration pace();
    }

    /** How a store that is away is waited for: without end, at growing distances with jitter. */
    interface Retry {

        /** The first distance. */
        @WithDefault("100ms")
        Duration delayMin();

        /** The largest distance. */
        @WithDefault("3s")
        Duration delayMax();
    }
}
