package io.flagtally.store.postgres;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.util.Optional;

/** The PostgreSQL that holds active users and dead letters. */
@ConfigMapping(prefix = "flagtally.postgres")
public interface PostgresConfig {

    /** Where it listens, such as {@code postgresql://postgres.example.com:5432/flagtally}. Without it a PostgreSQL is started beside us. */
    Optional<String> url();

    /** Who we are there; may create tables. */
    @WithDefault("postgres")
    String username();

    /** Its password. Better given through the environment than written into a file. */
    @WithDefault("postgres")
    String password();
}
