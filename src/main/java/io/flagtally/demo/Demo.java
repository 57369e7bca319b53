package io.flagtally.demo;

import io.flagtally.platform.config.TimeConfig;
import io.flagtally.platform.security.SecurityConfig;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.smallrye.config.SmallRyeConfig;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/** The run of the demo beside the service: one thread, which writes a history where there is none, and
 * beside it what happens as time goes. */
@Singleton
class Demo {

    private static final Logger LOG = Logger.getLogger("io.flagtally.demo");

    static final Duration HISTORY = Duration.ofDays(30);
    static final int EVENTS_A_REQUEST = 500;

    /** Bounds what the history takes from the machine. */
    static final Duration PACE = Duration.ofMillis(60);

    private static final Duration TICK = Duration.ofMillis(450);
    private static final Duration CATCH_UP_AT_MOST = Duration.ofSeconds(5);
    private static final Duration STEP = Duration.ofMinutes(10);

    /** Living traffic is denser than history, so that something moves while one looks. */
    private static final double LIVE_TIMES = 10;

    private static final double REPEATED = 0.04;
    private static final double LATE = 0.02;
    private static final Duration LATE_AT_MOST = Duration.ofHours(30);

    private final DemoConfig config;
    private final SecurityConfig security;
    private final SmallRyeConfig all;
    private final InstantSource clock;
    private final DemoTraffic traffic;
    private @Nullable Thread running;

    /** Until when the traffic of these days was sent; used by the thread of the demo only. */
    private Instant lived = Instant.EPOCH;

    @Inject
    Demo(DemoConfig config, SecurityConfig security, SmallRyeConfig all, InstantSource clock, TimeConfig time) {
        this.config = config;
        this.security = security;
        this.all = all;
        this.clock = clock;
        this.traffic = new DemoTraffic(new Random(), time.zone());
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
            DemoDoor door = new DemoDoor(URI.create("http://" + host() + ":" + value("quarkus.http.port")), key);
            boolean first = !door.hasHistory();
            name(door);
            lived = clock.instant();
            if (first) {
                writeHistory(door);
            }
            while (true) {
                goOn(door);
                Thread.sleep(TICK.toMillis());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IllegalStateException e) {
            LOG.errorf("The demo has stopped: %s", e.getMessage());
        }
    }

    /** Names are an ornament: without them the ids are shown. */
    private static void name(DemoDoor door) throws InterruptedException {
        try {
            door.name(DemoFlag.labels());
        } catch (IllegalStateException e) {
            LOG.warnf("The flags of the demo have no names: %s", e.getMessage());
        }
    }

    /** The last day first, since that is what one looks at. */
    private void writeHistory(DemoDoor door) throws InterruptedException {
        Instant now = clock.instant();
        LOG.infof("The demo writes its history of %d days", HISTORY.toDays());
        Map<Integer, List<String>> waiting = new TreeMap<>();
        long written = 0;
        for (Instant end = now; end.isAfter(now.minus(HISTORY)); end = end.minus(STEP)) {
            int visits = traffic.arrivals(traffic.visitsASecond(end, 1) * STEP.toSeconds());
            for (int i = 0; i < visits; i++) {
                add(waiting, traffic.visit(traffic.within(STEP, end), now));
            }
            for (Map.Entry<Integer, List<String>> source : waiting.entrySet()) {
                if (source.getValue().size() >= EVENTS_A_REQUEST) {
                    written += source.getValue().size();
                    door.send(source.getKey(), source.getValue());
                    source.getValue().clear();
                    Thread.sleep(PACE.toMillis());
                    goOn(door);
                }
            }
        }
        for (Map.Entry<Integer, List<String>> source : waiting.entrySet()) {
            written += source.getValue().size();
            door.send(source.getKey(), source.getValue());
        }
        LOG.infof("The demo has written its history: %,d events", written);
    }

    /** Sends what has happened since the last time. */
    private void goOn(DemoDoor door) throws InterruptedException {
        Instant now = clock.instant();
        Duration passed = Duration.between(lived, now);
        if (passed.compareTo(TICK) < 0) {
            return;
        }
        lived = now;
        double seconds = Math.min(passed.toMillis(), CATCH_UP_AT_MOST.toMillis()) / 1000.0;
        int visits = traffic.arrivals(traffic.visitsASecond(now, LIVE_TIMES) * seconds);
        for (int i = 0; i < visits; i++) {
            Instant time = traffic.happens(LATE) ? traffic.within(LATE_AT_MOST, now) : now;
            for (Map.Entry<Integer, List<String>> sent :
                    traffic.visit(time, now).entrySet()) {
                if (!sent.getValue().isEmpty()) {
                    door.send(sent.getKey(), sent.getValue());
                    if (traffic.happens(REPEATED)) {
                        door.send(sent.getKey(), sent.getValue());
                    }
                }
            }
        }
    }

    private static void add(Map<Integer, List<String>> waiting, Map<Integer, List<String>> visit) {
        visit.forEach((source, events) ->
                waiting.computeIfAbsent(source, unused -> new ArrayList<>()).addAll(events));
    }

    private String host() {
        String host = value("quarkus.http.host");
        return host == null || host.equals("0.0.0.0") ? "127.0.0.1" : host;
    }

    private @Nullable String value(String name) {
        return all.getConfigValue(name).getValue();
    }
}
