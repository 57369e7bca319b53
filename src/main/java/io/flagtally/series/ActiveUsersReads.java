package io.flagtally.series;

import io.flagtally.event.EnvironmentId;
import io.flagtally.platform.error.UnavailableException;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.smallrye.mutiny.Uni;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.YearMonth;
import java.util.List;
import java.util.function.Supplier;
import org.jboss.resteasy.reactive.RestResponse;
import org.jboss.resteasy.reactive.RestResponse.ResponseBuilder;

/** The way to {@link ActiveUsersReader}: equal reads are shared, and every read ends in time. */
@Singleton
class ActiveUsersReads {

    private static final String KIND = "active_users";

    /** The header: everything written until then is in the answer. */
    private static final String AS_OF = "flagtally-as-of";

    private record Months(List<EnvironmentId> environments, YearMonth from, YearMonth to) {}

    private record Steps(EnvironmentId environment, ActivityRange range) {}

    private final ActiveUsersReader reader;
    private final SeriesConfig config;
    private final MeterRegistry metrics;
    private final SharedReads<Object, ActivityReading> shared;

    @Inject
    ActiveUsersReads(ActiveUsersReader reader, SeriesConfig config, MeterRegistry metrics) {
        this.reader = reader;
        this.config = config;
        this.metrics = metrics;
        shared = new SharedReads<>(config.distinctReadsMax());
        metrics.gauge("flagtally.series.reads.running", Tags.of("kind", KIND), shared, SharedReads::size);
    }

    /** Reads as {@link ActiveUsersReader#months}. */
    Uni<ActivityReading> months(List<EnvironmentId> environments, YearMonth from, YearMonth to) {
        return shared.read(new Months(environments, from, to), timed(() -> reader.months(environments, from, to)));
    }

    /** Reads the steps of {@code range}. */
    Uni<ActivityReading> steps(EnvironmentId environment, ActivityRange range) {
        return shared.read(new Steps(environment, range), timed(() -> switch (range.step()) {
            case MONTH -> reader.months(List.of(environment), YearMonth.from(range.from()), YearMonth.from(range.to()));
            case DAY -> reader.days(environment, range.whole());
            case WEEK, ROLLING_28, ROLLING_30 -> reader.spans(environment, range.steps());
        }));
    }

    /** Returns {@code body}, with a header that says how new it is if it was read from a replica. */
    static <T> RestResponse<T> answer(T body, ActivityReading reading) {
        ResponseBuilder<T> answer = ResponseBuilder.ok(body);
        return (reading.asOf() == null
                        ? answer
                        : answer.header(AS_OF, reading.asOf().toString()))
                .build();
    }

    private Supplier<Uni<ActivityReading>> timed(Supplier<Uni<ActivityReading>> read) {
        return () -> {
            Timer.Sample sample = Timer.start(metrics);
            return read.get()
                    .ifNoItem()
                    .after(config.readTimeout())
                    .failWith(() -> new UnavailableException(
                            "The store of the active users did not answer within "
                                    + config.readTimeout().toMillis() + " ms.",
                            null))
                    .onItemOrFailure()
                    .invoke((value, failure) -> sample.stop(metrics.timer(
                            "flagtally.series.reads", "kind", KIND, "outcome", failure == null ? "ok" : "failed")));
        };
    }
}
