package io.flagtally.platform;

import io.flagtally.platform.config.ProcessRole;
import io.flagtally.platform.config.RolesConfig;
import io.flagtally.platform.embedded.EmbeddedConfig;
import io.flagtally.platform.embedded.EmbeddedStartException;
import io.flagtally.platform.embedded.LoopbackPort;
import io.flagtally.platform.security.ApiKeys;
import io.flagtally.platform.security.SecurityConfig;
import io.quarkus.runtime.configuration.ConfigUtils;
import io.smallrye.config.SmallRyeConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/**
 * The configuration as far as it is needed before the application starts, from the same sources: system properties, the
 * environment, the operator's file, the copy of that file in the artifact.
 */
final class StartConfig {

    static final String LOCATIONS = "quarkus.config.locations";
    static final String REDIS_URL = "flagtally.redis.url";
    static final String POSTGRES_URL = "flagtally.postgres.url";
    static final String DEMO = "flagtally.demo";
    static final String HTTP_HOST = "quarkus.http.host";
    static final String HTTP_PORT = "quarkus.http.port";

    /** Who we are in PostgreSQL, and our password there, unless configured. */
    private static final String POSTGRES = "postgres";

    private static final String OPERATORS_FILE = "application.yaml";
    private static final String ANY_HOST = "0.0.0.0";
    private static final int DEFAULT_PORT = 8080;

    private final SmallRyeConfig config;

    private StartConfig(SmallRyeConfig config) {
        this.config = config;
    }

    /**
     * Makes {@code ./application.yaml} a source, unless other locations are configured, and reads.
     *
     * @throws EmbeddedStartException if the configuration cannot be read
     */
    static StartConfig read() {
        try {
            useOperatorsFile();
            SmallRyeConfig config = ConfigUtils.configBuilder()
                    .withMapping(EmbeddedConfig.class)
                    .withMapping(RolesConfig.class)
                    .withMapping(SecurityConfig.class)
                    .build();
            ApiKeys.requireValid(config);
            return new StartConfig(config);
        } catch (RuntimeException e) {
            throw new EmbeddedStartException(
                    "The configuration cannot be read (" + oneLine(e) + "); correct it in application.yaml, the"
                            + " environment or the command line.",
                    e);
        }
    }

    /** A {@code file:} URI ranks by the ordinal in the file, so that the environment and -D beat it. */
    private static void useOperatorsFile() {
        Path file = Path.of(OPERATORS_FILE);
        boolean elsewhere = System.getProperty(LOCATIONS) != null || System.getenv("QUARKUS_CONFIG_LOCATIONS") != null;
        if (!elsewhere && Files.isRegularFile(file)) {
            System.setProperty(LOCATIONS, file.toAbsolutePath().toUri().toString());
        }
    }

    /** Whether this process reads or writes numbers, and does not only take events in. */
    boolean needsStores() {
        return !config.getConfigMapping(RolesConfig.class).all().equals(Set.of(ProcessRole.INGEST));
    }

    boolean redisIsConfigured() {
        return value(REDIS_URL).isPresent();
    }

    boolean postgresIsConfigured() {
        return postgresUrl().isPresent();
    }

    Optional<String> postgresUrl() {
        return value(POSTGRES_URL);
    }

    String postgresUsername() {
        return value("flagtally.postgres.username").orElse(POSTGRES);
    }

    String postgresPassword() {
        return value("flagtally.postgres.password").orElse(POSTGRES);
    }

    boolean hasApiKeys() {
        SecurityConfig security = config.getConfigMapping(SecurityConfig.class);
        return !security.apiKeys().isEmpty() || security.keysFile().isPresent();
    }

    boolean demoIsOn() {
        return config.getOptionalValue(DEMO, Boolean.class).orElse(false);
    }

    Path dataDirectory() {
        return config.getConfigMapping(EmbeddedConfig.class)
                .dataDir()
                .toAbsolutePath()
                .normalize();
    }

    boolean isConfigured(String key) {
        return value(key).isPresent();
    }

    boolean httpHostIsConfigured() {
        return value(HTTP_HOST).isPresent();
    }

    /** The address that the service will listen on: with no store configured, this machine's own. */
    String httpHost() {
        boolean toThisMachine = needsStores() && !redisIsConfigured() && !postgresIsConfigured();
        return value(HTTP_HOST).orElse(toThisMachine ? LoopbackPort.HOST : ANY_HOST);
    }

    int httpPort() {
        return config.getOptionalValue(HTTP_PORT, Integer.class).orElse(DEFAULT_PORT);
    }

    private Optional<String> value(String key) {
        return config.getOptionalValue(key, String.class).filter(value -> !value.isBlank());
    }

    private static String oneLine(Throwable e) {
        Throwable cause = e;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return String.valueOf(cause.getMessage()).strip().replaceAll("\\s+", " ");
    }
}
