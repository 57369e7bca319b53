package io.flagtally.store.postgres;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;
import java.util.Optional;

/** The PostgreSQL that holds active users and dead letters. */
@ConfigMapping(prefix = "flagtally.postgres")
public interface PostgresConfig {

    /** Where it listens, such as {@code postgresql://postgres.example.com:5432/flagtally}. Without it a PostgreSQL is started beside us. */
    Optional<String> url();

    /** A replica that only reads, in the form of {@code url}, with the same user; active users are read there. */
    Optional<String> replicaUrl();

    /** How long the replica may take to give a connection and say how new it is before the primary is asked. */
    @WithDefault("1s")
    Duration replicaTimeout();

    /** Who we are there; may create tables. */
    @WithDefault("postgres")
    String username();

    /** Its password. Better given through the environment than written into a file. */
    @WithDefault("postgres")
    String password();
}
