package io.flagtally.ingest;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;

/** Evaluations, which SDKs ask for at the endpoint to which they send events, and which a flag server of yours answers. */
@ConfigMapping(prefix = "flagtally.evaluations")
public interface EvaluationsConfig {

    /** Your flag server, such as {@code https://flags.example.com}. Without it the answer is valid and empty. */
    Optional<URI> upstream();

    /** How long the flag server may take to answer to the last byte; then the answer is 504. */
    @WithDefault("10s")
    Duration timeout();

    /** How long connecting to the flag server may take. */
    @WithDefault("2s")
    Duration connectTimeout();

    /** Connections to the flag server. */
    @WithDefault("64")
    int connectionsMax();

    /** Calls that wait for a connection; beyond it the answer is 429. */
    @WithDefault("256")
    int waitingMax();

    /** Largest answer of the flag server in bytes; a larger one is cut off, and its connection closed. */
    @WithDefault("16777216")
    long answerBytesMax();
}
