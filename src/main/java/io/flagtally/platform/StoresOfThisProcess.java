package io.flagtally.platform;

import static io.flagtally.platform.embedded.LoopbackPort.HOST;

import io.flagtally.platform.embedded.EmbeddedStartException;
import io.flagtally.platform.embedded.EmbeddedStores;
import io.flagtally.platform.embedded.EmbeddedStores.Running;
import io.flagtally.platform.embedded.EmbeddedStores.Wanted;
import java.nio.file.Path;
import java.util.Optional;
import java.util.ServiceLoader;

/**
 * The stores that this process starts for itself: those that are not configured. What it finds out becomes system
 * properties, from which the application's configuration is made.
 */
final class StoresOfThisProcess {

    /** Set to the data directory if a store is embedded. */
    static final String DATA_DIRECTORY = "flagtally.embedded.started-in";

    /** Set if the default key is in force. */
    static final String LOCAL_KEY = "flagtally.security.embedded-key";

    /** Set if the demo runs beside the default key. */
    static final String DEMO_KEY = "flagtally.security.demo-key";

    private static final String MIGRATE = "quarkus.flyway.migrate-at-start";

    /** What stands for a store that this process never speaks to; the name can belong to nobody. */
    private static final String NO_REDIS = "redis://unused.invalid:6379";

    private static final String NO_POSTGRES = "postgresql://unused.invalid:5432/flagtally";

    private static final String CORS_ORIGINS = "flagtally.ingest.cors.origins";

    private StoresOfThisProcess() {}

    /**
     * Starts what {@code config} does not name.
     *
     * @return what to close once the application has ended; empty if every store is configured
     * @throws EmbeddedStartException with one sentence if that cannot be
     */
    static Optional<Running> start(StartConfig config) {
        if (!config.needsStores()) {
            goWithout(config);
            return Optional.empty();
        }
        boolean redis = !config.redisIsConfigured();
        boolean postgres = !config.postgresIsConfigured();
        if (!redis && !postgres) {
            return Optional.empty();
        }
        Path directory = config.dataDirectory();
        Running running = implementation().start(new Wanted(directory, directory.resolve("bin"), postgres, redis));
        System.setProperty(DATA_DIRECTORY, directory.toString());
        running.redisUrl().ifPresent(url -> System.setProperty(StartConfig.REDIS_URL, url));
        running.postgresUrl().ifPresent(url -> {
            System.setProperty(StartConfig.POSTGRES_URL, url);
            System.setProperty("flagtally.postgres.username", "postgres");
        });
        if (redis && postgres) {
            openToThisMachine(config);
        }
        return Optional.of(running);
    }

    private static void goWithout(StartConfig config) {
        System.setProperty(MIGRATE, "false");
        if (!config.redisIsConfigured()) {
            System.setProperty(StartConfig.REDIS_URL, NO_REDIS);
        }
        if (!config.postgresIsConfigured()) {
            System.setProperty(StartConfig.POSTGRES_URL, NO_POSTGRES);
        }
    }

    /** Nothing is configured, so whoever is on this machine may do everything, and nobody else. */
    private static void openToThisMachine(StartConfig config) {
        if (!config.httpHostIsConfigured()) {
            System.setProperty(StartConfig.HTTP_HOST, HOST);
        }
        if (!config.hasApiKeys()) {
            System.setProperty(LOCAL_KEY, "local");
            if (config.demoIsOn()) {
                System.setProperty(DEMO_KEY, "demo");
            }
        }
        if (!config.isConfigured(CORS_ORIGINS)) {
            System.setProperty(CORS_ORIGINS, "*");
        }
    }

    private static EmbeddedStores implementation() {
        return ServiceLoader.load(EmbeddedStores.class)
                .findFirst()
                .orElseThrow(() -> new EmbeddedStartException("This build brings no stores of its own; configure "
                        + StartConfig.REDIS_URL + " and " + StartConfig.POSTGRES_URL + "."));
    }
}
