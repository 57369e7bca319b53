package io.flagtally.platform.embedded;

import java.nio.file.Path;
import java.util.Optional;

/**
 * Starts the stores of an installation that has none of its own. Found with {@link java.util.ServiceLoader}; a build
 * without an implementation wants its stores configured.
 */
public interface EmbeddedStores {

    /**
     * Starts the stores that {@code wanted} names and returns when they answer. Takes seconds; blocks.
     *
     * @throws EmbeddedStartException with one sentence for a person if they cannot be started; then none is left running
     */
    Running start(Wanted wanted);

    /**
     * What to start.
     *
     * @param dataDirectory where the data is kept; made if it is missing
     * @param binaries where the servers' programs are unpacked to; made if it is missing
     */
    record Wanted(Path dataDirectory, Path binaries, boolean postgres, boolean redis) {

        /** Both stores, everything below {@code dataDirectory}. */
        public static Wanted both(Path dataDirectory) {
            return new Wanted(dataDirectory, dataDirectory.resolve("bin"), true, true);
        }
    }

    /** Stores that run. Closing ends them, in order and with their data written, and may be repeated. */
    interface Running extends AutoCloseable {

        /** {@code redis://127.0.0.1:PORT} if a Redis was wanted. */
        Optional<String> redisUrl();

        /** {@code postgresql://127.0.0.1:PORT/postgres} if a PostgreSQL was wanted. */
        Optional<String> postgresUrl();

        @Override
        void close();
    }
}
