package io.flagtally.demo;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.smallrye.config.WithParentName;
import java.util.Optional;

/** Made-up traffic, to look at. */
@ConfigMapping(prefix = "flagtally.demo")
public interface DemoConfig {

    /** True sends made-up traffic into the environment {@code demo}, with a month of history at the first start. */
    @WithParentName
    @WithDefault("false")
    boolean enabled();

    /**
     * The API key to send with, of the environment {@code demo}, with the roles SDK_SERVER and ADMIN. The embedded
     * default has the key {@code demo} for it; with keys of your own this must be one of them.
     */
    Optional<String> key();
}
