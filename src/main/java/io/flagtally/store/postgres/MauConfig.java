package io.flagtally.store.postgres;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;

/** How active users are kept. */
@ConfigMapping(prefix = "flagtally.mau")
public interface MauConfig {

    /**
     * Over how many rows the sums of a month and of a day are spread, so that processes that write at once do not wait
     * for one row. May be changed at any time.
     */
    @WithDefault("16")
    int shards();

    /**
     * How many months the rows of a month are kept after its end and after the last write to it; then they are dropped
     * and the month is closed. Its sums stay.
     */
    @WithDefault("3")
    int retentionMonths();

    /** How long a flush may take before PostgreSQL is taken to be away. */
    @WithDefault("10S")
    Duration flushTimeout();
}
