package io.flagtally.series;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.SourceId;
import io.micrometer.core.instrument.MeterRegistry;
import io.smallrye.mutiny.Uni;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.YearMonth;
import java.util.List;
import org.jboss.resteasy.reactive.RestResponse;
import org.jboss.resteasy.reactive.RestResponse.ResponseBuilder;
import org.jspecify.annotations.Nullable;

/** The way to {@link ActiveUsersReader}: equal reads are shared, and every read ends in time. */
@Singleton
class ActiveUsersReads {

    /** Different passes over users at once: half of the connections, so that sums are read beside them. */
    private static final int PASSES_MAX = 4;

    /** The header: everything written until then is in the answer. */
    private static final String AS_OF = "flagtally-as-of";

    private record Months(List<EnvironmentId> environments, YearMonth from, YearMonth to) {}

    private record Days(EnvironmentId environment, ActivityRange range) {}

    private record Spans(
            EnvironmentId environment,
            ActivityRange range,
            @Nullable SourceId only) {}

    private final ActiveUsersReader reader;
    private final SharedReads<Object, ActivityReading> sums;
    private final SharedReads<Spans, ActivityReading> passes;

    @Inject
    ActiveUsersReads(ActiveUsersReader reader, SeriesConfig config, MeterRegistry metrics) {
        this.reader = reader;
        sums = new SharedReads<>("active_users", config.distinctReadsMax(), config.readTimeout(), metrics);
        passes = new SharedReads<>("active_users_passes", PASSES_MAX, config.readTimeout(), metrics);
    }

    /** Reads as {@link ActiveUsersReader#months}. */
    Uni<ActivityReading> months(List<EnvironmentId> environments, YearMonth from, YearMonth to) {
        return sums.read(new Months(environments, from, to), () -> reader.months(environments, from, to));
    }

    /**
     * Reads the steps of {@code range}.
     *
     * @param only the only SDK whose entries are needed, or null
     */
    Uni<ActivityReading> steps(EnvironmentId environment, ActivityRange range, @Nullable SourceId only) {
        return switch (range.step()) {
            case MONTH -> months(List.of(environment), YearMonth.from(range.from()), YearMonth.from(range.to()));
            case DAY -> sums.read(new Days(environment, range), () -> reader.days(environment, range.whole()));
            case WEEK, ROLLING_28, ROLLING_30 ->
                passes.read(new Spans(environment, range, only), () -> reader.spans(environment, range.steps(), only));
        };
    }

    /** Returns {@code body}, with a header that says how new it is if it was read from a replica. */
    static <T> RestResponse<T> answer(T body, ActivityReading reading) {
        ResponseBuilder<T> answer = ResponseBuilder.ok(body);
        return (reading.asOf() == null
                        ? answer
                        : answer.header(AS_OF, reading.asOf().toString()))
                .build();
    }
}
