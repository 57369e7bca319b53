package io.flagtally.codec;

import io.flagtally.event.EventId;
import io.flagtally.event.SourceId;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What an SDK measured of its own calls. It ends at the door as a metric and never travels.
 *
 * @param type the name of the inner message, such as {@code LatencyMetricsEvent}; as sent, so not bounded in kind
 * @param api the call that was measured, null if we do not know it
 * @param latencySeconds how long it took, 0 or more; meaningful for {@code LatencyMetricsEvent}
 * @param sizeBytes how large the answer was, 0 or more; meaningful for {@code SizeMetricsEvent}
 * @param source the SDK, null if the event names none
 */
public record MetricsEvent(
        EventId id,
        String type,
        @Nullable ApiId api,
        double latencySeconds,
        double sizeBytes,
        Instant time,
        @Nullable SourceId source) {}
