package io.flagtally.store.postgres;

import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;

/** How active users are kept. */
@ConfigMapping(prefix = "flagtally.mau")
public interface MauConfig {

    /** After the end of a day, no door takes its events, and repeats of the last ones have come: 31 days, and two more. */
    Duration DOORS_CLOSE_AFTER = Duration.ofDays(33);

    /**
     * Over how many rows the sums of a month and of a day are spread, so that processes that write at once do not wait
     * for one row: 1 to 1024. May be changed at any time.
     */
    @WithDefault("16")
    int shards();

    /**
     * How many months the rows of a month are kept after its end and after the last write to it, 2 to 1200; then they
     * are dropped and the month is closed. Its sums stay.
     */
    @WithDefault("3")
    int retentionMonths();

    /**
     * How long the ids of the events of a day are kept after it, at least 33 days: doors take events for 31 days, and
     * repeats come within two more. An import recognises what was counted as long as its id is kept; later it is refused
     * for a day and environment that had events.
     */
    @WithDefault("792H")
    Duration eventIdsRetention();

    /** How long a flush may take before PostgreSQL is taken to be away. */
    @WithDefault("10S")
    Duration flushTimeout();

    /** Fails with a sentence that names the key, if a value is out of its bounds. */
    default void requireSound() {
        require(shards() >= 1 && shards() <= 1024, "shards", shards(), "1 to 1024");
        require(
                retentionMonths() >= 2 && retentionMonths() <= 1200,
                "retention-months",
                retentionMonths(),
                "2 to 1200");
        require(
                eventIdsRetention().compareTo(DOORS_CLOSE_AFTER) >= 0,
                "event-ids-retention",
                eventIdsRetention(),
                DOORS_CLOSE_AFTER.toHours() + "H or more");
    }

    private static void require(boolean sound, String key, Object value, String allowed) {
        if (!sound) {
            throw new ConfigurationException("flagtally.mau." + key + " is " + value + "; set it to " + allowed + ".");
        }
    }
}
