package io.flagtally.ingest;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.util.Optional;

/**
 * A second place for accepted events, as long as an old and a new system run side by side. Best effort: what does not fit
 * is dropped and counted, and no request waits for it.
 */
@ConfigMapping(prefix = "flagtally.mirror")
public interface MirrorConfig {

    /** Where accepted events are sent too; none mirrors nothing. */
    Optional<String> publishTo();

    /** Bytes of a mirrored message's payload; larger ones are split between events. */
    @WithDefault("200000")
    int bytesMax();

    InFlight inFlight();

    /** What waits for the mirror in memory; beyond it events are dropped. */
    interface InFlight {

        /** Messages. */
        @WithDefault("512")
        int messagesMax();

        /** Bytes of their payloads. */
        @WithDefault("33554432")
        long bytesMax();
    }
}
