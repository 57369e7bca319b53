package io.flagtally.series.live;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;

/** How numbers are streamed. */
@ConfigMapping(prefix = "flagtally.live")
public interface LiveConfig {

    /** How often the counts that somebody watches are read, and at most how often a reader is told of a change. */
    @WithDefault("250ms")
    Duration tick();

    /** The same for active users. */
    @WithDefault("1S")
    Duration activeUsersTick();

    /** How often the busiest flags of an environment are chosen anew. */
    @WithDefault("5S")
    Duration busiestEvery();

    /** A reader that was told nothing for so long gets a comment line. */
    @WithDefault("15S")
    Duration heartbeat();

    /** A reader that takes nothing for so long, though there is something for it, is closed. */
    @WithDefault("1M")
    Duration stallMax();

    /** How long a stream lasts; its reader then comes back, perhaps to another instance. */
    @WithDefault("1H")
    Duration streamMax();

    /** Most readers of an instance; one more is answered 429. */
    @WithDefault("2000")
    int readersMax();

    /** Most readers of an instance that came with the same key, or with tickets made for it; one more is answered 429. */
    @WithDefault("1000")
    int readersPerKeyMax();

    /** Most flags that an instance watches at once; a reader of one more is answered 429. */
    @WithDefault("2000")
    int flagsMax();

    /** Most bytes of messages that an instance has on their way to readers; a further message waits, and when there is no room, readers who have taken nothing for 5 seconds are cut. */
    @WithDefault("33554432")
    long bytesMax();

    /** How long a ticket opens streams. */
    @WithDefault("1M")
    Duration ticketLifetime();
}
