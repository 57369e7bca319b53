package io.flagtally.platform.security;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Who may call. */
@ConfigMapping(prefix = "flagtally.security")
public interface SecurityConfig {

    /** The API keys, by a name of your choice that logs and metrics show. Two may be valid at once, for rotation. */
    Map<String, ApiKeyConfig> apiKeys();

    /**
     * A key that may do everything in the environment {@code default}, for as long as {@code api-keys} is empty. Set by
     * the embedded default, which listens to this machine only.
     */
    Optional<String> embeddedKey();

    /**
     * A key that may do everything in the environment {@code demo}, for as long as {@code embedded-key} holds. Set by
     * the embedded default if {@code flagtally.demo} is switched on.
     */
    Optional<String> demoKey();

    /** A second YAML file of these same keys, such as a mounted secret; it beats application.yaml. */
    Optional<Path> keysFile();

    /** How often application.yaml and the keys file are looked at; changed keys hold from then on, without a restart. */
    @WithDefault("5s")
    Duration reloadEvery();

    /** One API key; either {@code key} or {@code sha256} is set. */
    interface ApiKeyConfig {

        /** The key itself. Better given through the environment than written into a file. */
        Optional<String> key();

        /** The SHA-256 of the key, 64 hexadecimal digits. */
        Optional<String> sha256();

        /** What the key may do. */
        Set<Role> roles();

        /** The environment it belongs to; {@code *} is every environment, for READ_ONLY and ADMIN only. */
        @WithDefault("default")
        String environment();

        /** True refuses the key without forgetting it. */
        @WithDefault("false")
        boolean disabled();
    }
}
