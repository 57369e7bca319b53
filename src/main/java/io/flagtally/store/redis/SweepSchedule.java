package io.flagtally.store.redis;

import io.flagtally.platform.config.TimeConfig;
import io.flagtally.rollup.BucketCalendar;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import io.smallrye.mutiny.Uni;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.InstantSource;
import org.jboss.logging.Logger;

/** Runs {@link CounterSweep} as often as configured ({@code flagtally.counts.sweep.every}). */
@ApplicationScoped
public class SweepSchedule {

    private static final Logger LOG = Logger.getLogger(SweepSchedule.class);

    private final CounterSweep sweep;
    private final boolean cluster;

    @Inject
    SweepSchedule(
            RedisLink link,
            RedisKeys keys,
            TimeConfig time,
            CountsConfig counts,
            InstantSource clock,
            MeterRegistry meters) {
        sweep = new CounterSweep(
                link,
                keys,
                new CounterRetention(new BucketCalendar(time.zone())),
                clock,
                counts.sweep().stepSize(),
                counts.sweep().pause(),
                meters);
        cluster = keys.hashTags();
    }

    @Scheduled(
            identity = "counter-sweep",
            every = "{flagtally.counts.sweep.every}",
            delayed = "1m",
            concurrentExecution = ConcurrentExecution.SKIP)
    Uni<Void> run() {
        if (cluster) {
            return Uni.createFrom().voidItem();
        }
        return sweep.sweep()
                .invoke(report -> LOG.infof("Swept the counters: %s", report))
                .onFailure()
                .invoke(failure -> LOG.warnf("The sweep of the counters stopped: %s", failure.getMessage()))
                .onFailure()
                .recoverWithNull()
                .replaceWithVoid();
    }
}
