package io.flagtally.store.redis;

import io.flagtally.platform.config.TimeConfig;
import io.flagtally.platform.job.Job;
import io.flagtally.rollup.BucketCalendar;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.configuration.DurationConverter;
import io.smallrye.mutiny.Uni;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;

/** Runs {@link CounterSweep} as often as configured ({@code flagtally.counts.sweep.every}). */
@ApplicationScoped
public class SweepSchedule implements Job {

    private static final String OFF = "off";

    private final CounterSweep sweep;
    private final boolean cluster;
    private final Optional<Duration> every;

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
        every = counts.sweep().every().equals(OFF)
                ? Optional.empty()
                : Optional.of(DurationConverter.parseDuration(counts.sweep().every()));
    }

    @Override
    public String name() {
        return "counter-sweep";
    }

    @Override
    public Optional<Duration> every() {
        return every;
    }

    @Override
    public Uni<String> run() {
        return cluster
                ? Uni.createFrom().item("left out on a cluster")
                : sweep.sweep().map(SweepReport::toString);
    }
}
