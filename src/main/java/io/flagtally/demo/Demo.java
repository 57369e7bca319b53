package io.flagtally.demo;

import io.flagtally.platform.config.TimeConfig;
import io.flagtally.platform.security.SecurityConfig;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.vertx.http.HttpServer;
import io.smallrye.config.SmallRyeConfig;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.net.URI;
import java.time.Duration;
import java.time.InstantSource;
import java.time.ZoneId;
import java.util.Optional;
import java.util.Random;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/** Starts the demo beside the service, if it is switched on: one thread, which ends with the service. */
@Singleton
class Demo {

    private static final Logger LOG = Logger.getLogger("io.flagtally.demo");
    private static final Duration LOOK_FOR_THE_SERVER = Duration.ofMillis(50);

    private final DemoConfig config;
    private final SecurityConfig security;
    private final SmallRyeConfig all;
    private final HttpServer server;
    private final InstantSource clock;
    private final ZoneId zone;
    private @Nullable Thread running;

    @Inject
    Demo(
            DemoConfig config,
            SecurityConfig security,
            SmallRyeConfig all,
            HttpServer server,
            InstantSource clock,
            TimeConfig time) {
        this.config = config;
        this.security = security;
        this.all = all;
        this.server = server;
        this.clock = clock;
        this.zone = time.zone();
    }

    void start(@Observes StartupEvent started) {
        if (!config.enabled()) {
            return;
        }
        Optional<String> key = config.key().or(security::demoKey);
        if (key.isEmpty()) {
            LOG.error("The demo is switched on and has no key; name one of the environment demo, with the roles"
                    + " SDK_SERVER and ADMIN, in flagtally.demo.key.");
            return;
        }
        Thread thread = new Thread(() -> run(key.get()), "demo");
        thread.setDaemon(true);
        running = thread;
        thread.start();
    }

    void stop(@Observes ShutdownEvent ended) {
        if (running != null) {
            running.interrupt();
        }
    }

    private void run(String key) {
        try {
            String host = DemoDoor.host(all.getConfigValue("quarkus.http.host").getValue());
            URI service = URI.create("http://" + host + ":" + port());
            new DemoRun(new DemoDoor(service, key), clock, new Random(), zone).live();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IllegalStateException e) {
            LOG.errorf("The demo has stopped: %s", e.getMessage());
        } catch (RuntimeException e) {
            LOG.error("The demo has stopped", e);
        }
    }

    /** The port is known when the server listens, which it does after the start of everything else. */
    private int port() throws InterruptedException {
        while (server.getPort() <= 0) {
            Thread.sleep(LOOK_FOR_THE_SERVER.toMillis());
        }
        return server.getPort();
    }
}
