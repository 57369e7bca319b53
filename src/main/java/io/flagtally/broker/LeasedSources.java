package io.flagtally.broker;

import io.flagtally.pipeline.PatientRetry;
import io.flagtally.pipeline.Timers;
import io.quarkus.runtime.ShutdownEvent;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jboss.logging.Logger;

/** Opens {@link LeasedSource}s, each on an event loop of its own, and closes them when the pipeline has drained. */
@ApplicationScoped
public class LeasedSources {

    private static final Logger LOG = Logger.getLogger(LeasedSources.class);

    /** Observers without a priority, the pipeline among them, come before. */
    private static final int AFTER_THE_PIPELINE = 3000;

    private static final Duration RETRY_MIN = Duration.ofMillis(500);
    private static final Duration RETRY_MAX = Duration.ofSeconds(10);
    private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(5);

    private final Vertx vertx;
    private final List<LeasedSource> open = new CopyOnWriteArrayList<>();

    @Inject
    LeasedSources(Vertx vertx) {
        this.vertx = vertx;
    }

    /** Returns a source of the messages of {@code queue}, which it closes at the end. */
    public LeasedSource open(LeasedQueue queue) {
        Context context = vertx.getOrCreateContext();
        Timers timers = (delay, task) -> vertx.setTimer(Math.max(1, delay.toMillis()), id -> task.run());
        PatientRetry retry = new PatientRetry(
                timers, RETRY_MIN, RETRY_MAX, () -> ThreadLocalRandom.current().nextDouble());
        LeasedSource source = new LeasedSource(queue, retry, timers, task -> context.runOnContext(v -> task.run()));
        open.add(source);
        return source;
    }

    void close(@Observes @Priority(AFTER_THE_PIPELINE) ShutdownEvent stopping) throws InterruptedException {
        CompletableFuture<?>[] closing = open.stream()
                .map(source -> source.close().toCompletableFuture())
                .toArray(CompletableFuture[]::new);
        try {
            CompletableFuture.allOf(closing).get(CLOSE_PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            LOG.warnf(
                    "Some acknowledgements did not reach the broker in %s; it delivers those messages again",
                    CLOSE_PATIENCE);
        }
    }
}
