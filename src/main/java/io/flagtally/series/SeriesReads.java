package io.flagtally.series;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagId;
import io.flagtally.platform.Availability;
import io.flagtally.platform.error.UnavailableException;
import io.flagtally.rollup.TimeBucket;
import io.micrometer.core.instrument.MeterRegistry;
import io.smallrye.mutiny.Uni;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.Map;

/**
 * The way to the readers: equal reads are shared, every read ends in time, and while something is missing none is
 * started. Every answer shows what was written before its request came.
 */
@Singleton
public class SeriesReads {

    private record SeriesKey(EnvironmentId environment, FlagId flag, List<TimeBucket> buckets) {}

    private record EnvironmentsKey(EnvironmentScope scope, TimeBucket today) {}

    private record FlagsKey(EnvironmentId environment, FlagQuery query, TimeBucket today) {}

    private final SeriesReader series;
    private final CatalogReader catalog;
    private final DoubtReader doubts;
    private final Availability availability;
    private final SharedReads<SeriesKey, FlagSeries> sharedSeries;
    private final SharedReads<EnvironmentsKey, List<SeenEnvironment>> sharedEnvironments;
    private final SharedReads<FlagsKey, FlagPage> sharedFlags;
    private final SharedReads<String, List<Doubt>> sharedDoubts;

    @Inject
    SeriesReads(
            SeriesReader series,
            CatalogReader catalog,
            DoubtReader doubts,
            Availability availability,
            SeriesConfig config,
            MeterRegistry metrics) {
        this.series = series;
        this.catalog = catalog;
        this.doubts = doubts;
        this.availability = availability;
        this.sharedSeries = shared("series", config, metrics);
        this.sharedEnvironments = shared("environments", config, metrics);
        this.sharedFlags = shared("flags", config, metrics);
        this.sharedDoubts = shared("doubts", config, metrics);
    }

    /** Reads as {@link SeriesReader#read}. */
    Uni<FlagSeries> series(EnvironmentId environment, FlagId flag, List<TimeBucket> buckets) {
        SeriesKey key = new SeriesKey(environment, flag, buckets);
        return whileServing(sharedSeries.read(key, () -> series.read(environment, flag, buckets)));
    }

    /** Reads as {@link CatalogReader#environments}. */
    Uni<List<SeenEnvironment>> environments(EnvironmentScope scope, TimeBucket today) {
        EnvironmentsKey key = new EnvironmentsKey(scope, today);
        return whileServing(sharedEnvironments.read(key, () -> catalog.environments(scope, today)));
    }

    /** Reads as {@link CatalogReader#flags}. */
    Uni<FlagPage> flags(EnvironmentId environment, FlagQuery query, TimeBucket today) {
        FlagsKey key = new FlagsKey(environment, query, today);
        return whileServing(sharedFlags.read(key, () -> catalog.flags(environment, query, today)));
    }

    /** Reads as {@link DoubtReader#doubts}. */
    Uni<List<Doubt>> doubts() {
        return whileServing(sharedDoubts.read("doubts", doubts::doubts));
    }

    private static <K, V> SharedReads<K, V> shared(String kind, SeriesConfig config, MeterRegistry metrics) {
        return new SharedReads<>(kind, config.distinctReadsMax(), config.readTimeout(), metrics);
    }

    private <V> Uni<V> whileServing(Uni<V> read) {
        return Uni.createFrom().deferred(() -> {
            Map<String, String> missing = availability.missing(Availability.Work.SERVE);
            return missing.isEmpty()
                    ? read
                    : Uni.createFrom().failure(new UnavailableException(String.join(" ", missing.values()), null));
        });
    }
}
