package io.flagtally.pipeline;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;
import java.util.Optional;

/** How the service keeps account of itself. */
@ConfigMapping(prefix = "flagtally.ledger")
public interface LedgerConfig {

    /** How often a process writes down what it took in and what became of it; a {@code kill -9} costs the ledger as much. */
    @WithDefault("5s")
    Duration flushEvery();

    /** The bytes that PostgreSQL may take, for the forecast when it is full; PostgreSQL itself does not know. */
    Optional<Long> postgresBytesMax();
}
