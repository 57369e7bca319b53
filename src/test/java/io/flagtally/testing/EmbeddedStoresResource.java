package io.flagtally.testing;

import com.sun.net.httpserver.HttpServer;
import io.flagtally.platform.embedded.EmbeddedServers;
import io.flagtally.platform.embedded.EmbeddedStores.Running;
import io.flagtally.platform.embedded.EmbeddedStores.Wanted;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * A real PostgreSQL and a real Redis, and the API keys of tests. Started once a JVM and ended with it; a system property
 * remembers them, since Quarkus loads this class more than once.
 *
 * <p>Keys, each its own name: {@code test-client} (SDK_CLIENT), {@code test-server} (SDK_SERVER), {@code test-read}
 * (READ_ONLY), {@code test-admin} (ADMIN), {@code local} (all roles), all of the environment {@code default};
 * {@code test-other} (all roles, environment {@code other}), {@code test-any} (READ_ONLY and ADMIN, every environment),
 * {@code test-disabled}.
 */
public final class EmbeddedStoresResource implements QuarkusTestResourceLifecycleManager {

    /** The one origin whose pages may call the doors of SDKs. */
    public static final String ALLOWED_ORIGIN = "https://shop.example";

    private static final String EMPTY_COUNTER = "/empty-counter";
    private static final String REDIS_URL = "flagtally.redis.url";
    private static final String POSTGRES_URL = "flagtally.postgres.url";
    private static final String STARTED = "flagtally.test.stores";
    private static final String ALL_ROLES = "SDK_CLIENT,SDK_SERVER,READ_ONLY,ADMIN";

    @Override
    public Map<String, String> start() {
        Map<String, String> config = new HashMap<>();
        synchronized (System.getProperties()) {
            if (System.getProperty(STARTED) == null) {
                startStores();
            }
        }
        String[] urls = System.getProperty(STARTED).split(" ");
        config.put(REDIS_URL, urls[0]);
        config.put(POSTGRES_URL, urls[1]);
        putKeys(config);
        config.put("flagtally.ingest.cors.origins", ALLOWED_ORIGIN);
        config.put("flagtally.report.webhooks.test.url", urls[2] + "/hook");
        config.put("flagtally.report.webhooks.nowhere.format", "SLACK");
        config.put("flagtally.reconcile.targets.test.url", urls[2] + EMPTY_COUNTER);
        config.put("flagtally.reconcile.targets.test.key", "test");
        return config;
    }

    @Override
    public void stop() {
        // The stores end with the JVM, as other tests use them too.
    }

    private static void startStores() {
        Running stores =
                new EmbeddedServers().start(new Wanted(TestData.directory("stores"), TestData.binaries(), true, true));
        Runtime.getRuntime().addShutdownHook(new Thread(stores::close, "test-stores-stop"));
        System.setProperty(
                STARTED,
                stores.redisUrl().orElseThrow() + " " + stores.postgresUrl().orElseThrow() + " " + outside());
    }

    /** A receiver of reports that takes everything, and a counter that has seen nothing; they end with the JVM. */
    private static String outside() {
        try {
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.createContext("/", exchange -> {
                exchange.sendResponseHeaders(204, -1);
                exchange.close();
            });
            server.createContext(EMPTY_COUNTER, exchange -> {
                byte[] nothing = "{\"zone\":\"UTC\",\"flags\":[],\"buckets\":[],\"variations\":[]}"
                        .getBytes(StandardCharsets.UTF_8);
                exchange.sendResponseHeaders(200, nothing.length);
                exchange.getResponseBody().write(nothing);
                exchange.close();
            });
            server.start();
            return "http://127.0.0.1:" + server.getAddress().getPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void putKeys(Map<String, String> config) {
        putKey(config, "test-client", "SDK_CLIENT", "default");
        putKey(config, "test-server", "SDK_SERVER", "default");
        putKey(config, "test-read", "READ_ONLY", "default");
        putKey(config, "test-admin", "ADMIN", "default");
        putKey(config, "local", ALL_ROLES, "default");
        putKey(config, "test-other", ALL_ROLES, "other");
        putKey(config, "test-any", "READ_ONLY,ADMIN", "*");
        putKey(config, "test-disabled", ALL_ROLES, "default");
        config.put("flagtally.security.api-keys.test-disabled.disabled", "true");
    }

    private static void putKey(Map<String, String> config, String key, String roles, String environment) {
        String prefix = "flagtally.security.api-keys." + key + ".";
        config.put(prefix + "key", key);
        config.put(prefix + "roles", roles);
        config.put(prefix + "environment", environment);
    }
}
