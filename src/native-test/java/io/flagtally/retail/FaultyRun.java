package io.flagtally.retail;

import io.flagtally.packaged.ServiceProcess;
import io.flagtally.replay.Replay;
import io.flagtally.replay.ReplayEvent;
import io.flagtally.replay.ReplayOptions;
import io.flagtally.replay.ReplayReport;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A replay in the background, with clients that repeat what was not answered, while a test does harm. */
final class FaultyRun implements Replay.Listener {

    /** Events that were acknowledged together. */
    private record Acknowledged(Instant at, int events) {}

    private final RetailCounts counts = RetailCounts.empty();
    private final List<Acknowledged> history = new ArrayList<>();
    private final CompletableFuture<ReplayReport> report;

    private FaultyRun(ReplayOptions options) {
        Replay replay = new Replay(options, this);
        report = CompletableFuture.supplyAsync(() -> {
            try {
                return replay.run();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
    }

    static FaultyRun of(ReplayOptions options) {
        return new FaultyRun(options);
    }

    /** A service on stores of the test's own, on a port that it keeps over its starts. */
    static ServiceProcess.Start service(Path home, int port, String postgresUrl) {
        return ServiceProcess.in(home)
                .port(port)
                .with("-Xmx256m")
                .with("-Dquarkus.http.host=127.0.0.1")
                .with("-Dflagtally.postgres.url=" + postgresUrl)
                .with("-Dflagtally.redis.flush-timeout=1S")
                .with("-Dflagtally.redis.durability-timeout=0.5S")
                .with("-Dflagtally.pipeline.retry.delay-max=500ms")
                .with("-Dflagtally.security.api-keys.test.key=local")
                .with("-Dflagtally.security.api-keys.test.roles=SDK_SERVER,READ_ONLY");
    }

    @Override
    public synchronized void acknowledged(List<ReplayEvent> events) {
        events.forEach(counts::add);
        history.add(new Acknowledged(Instant.now(), events.size()));
    }

    synchronized long acknowledged() {
        return counts.events();
    }

    /** How many events were acknowledged from {@code from} to {@code to}. */
    synchronized long acknowledgedBetween(Instant from, Instant to) {
        return history.stream()
                .filter(some -> !some.at.isBefore(from) && !some.at.isAfter(to))
                .mapToLong(Acknowledged::events)
                .sum();
    }

    boolean isOver() {
        return report.isDone();
    }

    /** Waits until {@code events} are acknowledged, or all of them. */
    void await(long events) throws InterruptedException {
        while (acknowledged() < events && !isOver()) {
            Thread.sleep(20);
        }
    }

    /** Waits for the end. */
    ReplayReport end(Duration patience) throws Exception {
        return report.get(patience.toSeconds(), TimeUnit.SECONDS);
    }

    /** What was acknowledged, by flag and variation; to be read after the end. */
    RetailCounts counts() {
        return counts;
    }
}
