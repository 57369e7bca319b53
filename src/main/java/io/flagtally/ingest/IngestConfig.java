package io.flagtally.ingest;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** What the doors of SDKs take in, and how much of it. */
@ConfigMapping(prefix = "flagtally.ingest")
public interface IngestConfig {

    /** Largest body of a request in bytes, before and after gunzip; beyond it the answer is 413. */
    @WithDefault("4194304")
    int bodyBytesMax();

    /** How long the body of a request may take to arrive. */
    @WithDefault("30s")
    Duration bodyTimeout();

    /** Events in a request; with more the answer is 400. */
    @WithDefault("10000")
    int eventsMax();

    /** The oldest event that is taken; counters are kept for as long. */
    @WithDefault("744h")
    Duration eventAgeMax();

    /** How far ahead of our clock an event may be. */
    @WithDefault("1h")
    Duration eventAheadMax();

    /** How long a request waits until its events are safe; then the answer is 503. */
    @WithDefault("5s")
    Duration ackTimeout();

    InFlight inFlight();

    Cardinality cardinality();

    Rate rate();

    Cors cors();

    /** What is held in memory at once; beyond it the answer is 429. */
    interface InFlight {

        /** Requests whose events are not yet safe. */
        @WithDefault("512")
        int messagesMax();

        /** Bytes of bodies being read and of messages not yet safe. */
        @WithDefault("67108864")
        long bytesMax();
    }

    /** How many different names are taken; an event beyond is refused. */
    interface Cardinality {

        /** Flags of an environment, within the 31 days in which they were last seen. */
        @WithDefault("10000")
        int flagsMax();

        /** Variations of a flag, {@code default} not among them. */
        @WithDefault("100")
        int variationsMax();
    }

    /** How fast one API key may send; beyond it the answer is 429. */
    interface Rate {

        /** Events a second of one API key in this process, with as many again at once; none is no limit. */
        OptionalLong eventsPerSecond();
    }

    /** Which web pages may call the doors of SDKs. */
    interface Cors {

        /** Origins such as {@code https://www.example.com}, or {@code *}; none refuses. The embedded default takes any. */
        Optional<List<String>> origins();
    }
}
