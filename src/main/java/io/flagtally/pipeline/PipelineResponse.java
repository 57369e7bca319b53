package io.flagtally.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import io.flagtally.pipeline.LedgerStore.Sample;
import io.flagtally.pipeline.StoreSizeReader.StoreSize;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.jspecify.annotations.Nullable;

/** How events come through, as our own face words it. */
@Schema(description = "How events come through, of the whole installation")
record PipelineResponse(
        Instant at,

        @Schema(examples = "UTC") String zone,

        @Nullable Broker broker,
        Throughput throughput,

        @Schema(description = "The processes that were heard of lately")
        List<Instance> instances,

        Day last24Hours,
        List<Store> stores) {

    @Schema(name = "PipelineBroker")
    record Broker(
            String name,

            @Schema(description = "Messages that wait in it; null if it does not tell") @Nullable
            Long lag,

            @Schema(description = "A sentence if it cannot be used") @Nullable
            String missing) {}

    @Schema(name = "PipelineThroughput")
    record Throughput(double acceptedPerSecond, double countedPerSecond) {}

    @Schema(name = "PipelineInstance")
    record Instance(
            String instance,
            Instant startedAt,
            Instant seenAt,
            double acceptedPerSecond,
            double countedPerSecond,
            long inFlightEvents,
            long waitingBatches,
            LedgerFlush.Quantiles batchEvents,
            LedgerFlush.Quantiles flushMillis) {

        static Instance of(LedgerStore.LedgerProcess process, JsonNode vitals) {
            return new Instance(
                    process.instance(),
                    process.startedAt(),
                    process.seenAt(),
                    vitals.path("acceptedPerSecond").asDouble(),
                    vitals.path("countedPerSecond").asDouble(),
                    vitals.path("inFlightEvents").asLong(),
                    vitals.path("waitingBatches").asLong(),
                    quantiles(vitals.path("batchEvents")),
                    quantiles(vitals.path("flushMillis")));
        }

        private static LedgerFlush.Quantiles quantiles(JsonNode node) {
            return new LedgerFlush.Quantiles(
                    node.path("p50").asDouble(), node.path("p99").asDouble());
        }
    }

    @Schema(name = "PipelineDay")
    record Day(List<Reason> refused, List<Reason> deadLetters) {}

    @Schema(name = "PipelineReason")
    record Reason(
            @Schema(description = "One of the error codes") String code, long events) {}

    @Schema(name = "PipelineStore")
    record Store(
            String store,
            @Nullable Long bytes,

            @Schema(description = "How much it may hold; null if nobody said") @Nullable
            Long bytesMax,

            @Schema(description = "Since the oldest sample of a week; null until there is one of an hour ago") @Nullable
            Long growthBytesPerDay,

            @Schema(description = "At that growth; null if it does not grow or nothing bounds it") @Nullable
            Double daysUntilFull,

            @Schema(description = "Why it could not be read") @Nullable
            String error,

            List<Kind> kinds) {

        static Store of(String name, StoreSize size, List<Sample> before, Instant now) {
            Long growth = growth(name, "", size.bytes(), before, now);
            Long max = size.bytesMax();
            Double days = max == null || growth == null || growth <= 0
                    ? null
                    : Math.max(0, Math.round(10.0 * (max - size.bytes()) / growth) / 10.0);
            return new Store(
                    name,
                    size.bytes(),
                    max,
                    growth,
                    days,
                    null,
                    size.kinds().stream()
                            .map(kind -> new Kind(
                                    kind.kind(),
                                    kind.entries(),
                                    kind.bytes(),
                                    growth(name, kind.kind(), kind.bytes(), before, now),
                                    kind.estimated()))
                            .toList());
        }

        static Store unread(String name, Throwable failure) {
            return new Store(name, null, null, null, null, String.valueOf(failure.getMessage()), List.of());
        }

        private static @Nullable Long growth(String store, String kind, long bytes, List<Sample> before, Instant now) {
            return before.stream()
                    .filter(sample ->
                            sample.store().equals(store) && sample.kind().equals(kind))
                    .filter(sample -> !sample.at().isAfter(now.minus(Duration.ofMinutes(55))))
                    .findAny()
                    .map(sample -> {
                        double days = Duration.between(sample.at(), now).toSeconds() / 86_400.0;
                        return Math.round((bytes - sample.bytes()) / days);
                    })
                    .orElse(null);
        }
    }

    @Schema(name = "PipelineStoreKind")
    record Kind(
            String kind, long entries, long bytes, @Nullable Long growthBytesPerDay, boolean estimated) {}
}
