package io.flagtally.platform;

import jakarta.inject.Singleton;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** What the broker said of itself last; it is asked every few seconds. Safe for use by several threads. */
@Singleton
public class BrokerInUse {

    /**
     * What it said.
     *
     * @param lag how many messages wait in it, or empty if it does not tell
     * @param missing a sentence if it cannot be used
     */
    public record Said(String name, OptionalLong lag, Optional<String> missing) {}

    private volatile @Nullable Said said;

    /** Returns what it said last, some seconds ago; null if it never said anything. */
    public @Nullable Said said() {
        return said;
    }

    /** Keeps what it says now. */
    public void says(Said now) {
        said = now;
    }
}
