package io.flagtally.pipeline;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.flagtally.pipeline.LedgerStore.LedgerProcess;
import io.flagtally.platform.EventTally;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.distribution.ValueAtPercentile;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import io.smallrye.mutiny.Uni;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.interceptor.Interceptor;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HexFormat;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Writes down every few seconds what this process has seen, and at its end, after the pipeline has drained, for the last
 * time. Sums of whole hours, so that a repeated or late write changes nothing.
 */
@ApplicationScoped
public class LedgerFlush {

    /** How a process is. */
    record Vitals(
            double acceptedPerSecond,
            double countedPerSecond,
            long inFlightEvents,
            long waitingBatches,
            Quantiles batchEvents,
            Quantiles flushMillis) {}

    record Quantiles(double p50, double p99) {}

    private record Look(long nanos, long accepted, long counted) {}

    private static final Logger LOG = Logger.getLogger(LedgerFlush.class);
    private static final long RATE_NANOS = Duration.ofSeconds(10).toNanos();
    private static final Duration LAST_PATIENCE = Duration.ofSeconds(5);

    /** After the pipeline, which drains at the default priority. */
    private static final int AFTER_THE_PIPELINE = Interceptor.Priority.APPLICATION + 900;

    private final EventTally tally;
    private final LedgerStore store;
    private final MeterRegistry meters;
    private final InstantSource clock;
    private final ObjectMapper json;
    private final String countedEntry;
    private final String instance;
    private final Instant startedAt;
    private final Deque<Look> looks = new ArrayDeque<>();
    private boolean works = true;

    @Inject
    LedgerFlush(
            EventTally tally,
            LedgerStore store,
            PipelineConfig config,
            MeterRegistry meters,
            InstantSource clock,
            ObjectMapper json) {
        this.tally = tally;
        this.store = store;
        this.meters = meters;
        this.clock = clock;
        this.json = json;
        this.countedEntry = EventTally.COUNTED
                + (config.sinks().isEmpty() ? "" : config.sinks().get(0));
        this.startedAt = clock.instant();
        byte[] name = new byte[4];
        new SecureRandom().nextBytes(name);
        this.instance = HexFormat.of().formatHex(name);
    }

    @Scheduled(
            identity = "ledger",
            every = "${flagtally.ledger.flush-every:5s}",
            concurrentExecution = ConcurrentExecution.SKIP)
    Uni<Void> flush() {
        return flush(false)
                .invoke(this::works)
                .onFailure()
                .invoke(this::failed)
                .onFailure()
                .recoverWithNull()
                .replaceWithVoid();
    }

    void end(@Observes @Priority(AFTER_THE_PIPELINE) ShutdownEvent stopping) {
        try {
            flush(true).await().atMost(LAST_PATIENCE);
        } catch (RuntimeException e) {
            LOG.warnf("The ledger lacks the last seconds of this process: %s", e);
        }
    }

    private Uni<Void> flush(boolean last) {
        return Uni.createFrom().deferred(() -> {
            Map<Instant, Map<String, Long>> hours = tally.hours();
            LedgerProcess process = new LedgerProcess(instance, startedAt, clock.instant(), last, text(vitals()));
            return store.put(process, hours).invoke(() -> tally.forget(hours));
        });
    }

    private synchronized Vitals vitals() {
        Look now = new Look(System.nanoTime(), tally.total(EventTally.ACCEPTED), tally.total(countedEntry));
        while (looks.size() > 1 && now.nanos - looks.getFirst().nanos > RATE_NANOS + RATE_NANOS / 10) {
            looks.removeFirst();
        }
        Look then = looks.isEmpty() ? now : looks.getFirst();
        looks.addLast(now);
        return new Vitals(
                rate(now, then, look -> look.accepted),
                rate(now, then, look -> look.counted),
                gauge("flagtally.pipeline.in_flight"),
                gauge("flagtally.pipeline.waiting"),
                batchEvents(),
                flushMillis());
    }

    private static double rate(Look now, Look then, ToDoubleFunction<Look> events) {
        double seconds = (now.nanos - then.nanos) / 1e9;
        return seconds < 1 ? 0 : rounded((events.applyAsDouble(now) - events.applyAsDouble(then)) / seconds);
    }

    private long gauge(String name) {
        Gauge gauge = meters.find(name).gauge();
        return gauge == null ? 0 : (long) gauge.value();
    }

    private Quantiles batchEvents() {
        DistributionSummary sizes = meters.find("flagtally.pipeline.batch.size").summary();
        return sizes == null
                ? quantiles(new ValueAtPercentile[0], 1)
                : quantiles(sizes.takeSnapshot().percentileValues(), 1);
    }

    private Quantiles flushMillis() {
        Timer flushes = meters.find("flagtally.pipeline.flush").timer();
        return flushes == null
                ? quantiles(new ValueAtPercentile[0], 1)
                : quantiles(flushes.takeSnapshot().percentileValues(), 1e6);
    }

    private static Quantiles quantiles(ValueAtPercentile[] values, double unit) {
        return values.length < 2
                ? new Quantiles(0, 0)
                : new Quantiles(rounded(values[0].value() / unit), rounded(values[1].value() / unit));
    }

    private static double rounded(double value) {
        return Double.isNaN(value) ? 0 : Math.round(value * 10) / 10.0;
    }

    private void works(@Nullable Void done) {
        works = true;
    }

    private void failed(Throwable failure) {
        if (works) {
            LOG.warnf("The ledger cannot be written just now; it is made up for later: %s", failure.getMessage());
        }
        works = false;
    }

    private String text(Vitals vitals) {
        try {
            return json.writeValueAsString(vitals);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
