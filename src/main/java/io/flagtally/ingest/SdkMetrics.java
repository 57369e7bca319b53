package io.flagtally.ingest;

import io.flagtally.codec.MetricsEvent;
import io.flagtally.event.SourceId;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What SDKs measure of their own calls, as metrics of ours: latencies, sizes and errors, labelled by call, SDK and type.
 * Every label has a closed list of values, so that no SDK can add time series without end.
 */
@Singleton
class SdkMetrics {

    private static final String LATENCY = "LatencyMetricsEvent";
    private static final String SIZE = "SizeMetricsEvent";
    private static final String OTHER = "other";
    private static final double SECONDS_MAX = 86_400;

    private static final Set<String> ERRORS = Set.of(
            "BadRequestErrorMetricsEvent",
            "UnauthorizedErrorMetricsEvent",
            "ForbiddenErrorMetricsEvent",
            "NotFoundErrorMetricsEvent",
            "PayloadTooLargeExceptionMetricsEvent",
            "ClientClosedRequestErrorMetricsEvent",
            "RedirectionRequestExceptionMetricsEvent",
            "InternalServerErrorMetricsEvent",
            "ServiceUnavailableErrorMetricsEvent",
            "InternalErrorMetricsEvent",
            "InternalSdkErrorMetricsEvent",
            "NetworkErrorMetricsEvent",
            "TimeoutErrorMetricsEvent",
            "UnknownErrorMetricsEvent");

    private final MeterRegistry meters;

    @Inject
    SdkMetrics(MeterRegistry meters) {
        this.meters = meters;
    }

    /** @param defaultSource the SDK, if the event names none */
    void record(MetricsEvent event, SourceId defaultSource) {
        switch (event.type()) {
            case LATENCY -> {
                long nanos = (long) (Math.min(event.latencySeconds(), SECONDS_MAX) * 1e9);
                meters.timer("flagtally.ingest.sdk.latency", tags(event, defaultSource, LATENCY))
                        .record(nanos, TimeUnit.NANOSECONDS);
            }
            case SIZE ->
                meters.summary("flagtally.ingest.sdk.size", tags(event, defaultSource, SIZE))
                        .record(event.sizeBytes());
            default -> {
                String type = ERRORS.contains(event.type()) ? event.type() : OTHER;
                meters.counter("flagtally.ingest.sdk.errors", tags(event, defaultSource, type))
                        .increment();
            }
        }
    }

    private static Tags tags(MetricsEvent event, SourceId defaultSource, String type) {
        @Nullable SourceId own = event.source();
        return Tags.of(
                "apiId",
                event.api() == null ? OTHER : event.api().name(),
                "sourceId",
                (own == null ? defaultSource : own).name(),
                "type",
                type);
    }
}
