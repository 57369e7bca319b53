package io.flagtally.pipeline;

import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/**
 * The sinks of the pipeline as imports use them.
 *
 * @param recent those that take recent events; a repeat of an import that was cut short finds what they counted, or events
 *     too old for them
 * @param longTerm those that take events of any age
 */
record ImportSinks(List<BatchSink> recent, List<BatchSink> longTerm) {

    static ImportSinks of(ImportConfig config, PipelineConfig pipeline, List<BatchSink> sinks) {
        Duration untilTooOld = config.recentAge().plus(ImportRun.AHEAD_MAX);
        Set<String> ofAnyAge = Set.copyOf(config.longTermSinks());
        List<BatchSink> chosen = sinks.stream()
                .filter(sink -> pipeline.sinks().contains(sink.name()))
                .toList();
        return new ImportSinks(
                chosen.stream()
                        .filter(sink -> !ofAnyAge.contains(sink.name()))
                        .map(sink -> sink.recognisingFor(untilTooOld))
                        .toList(),
                chosen.stream()
                        .filter(sink -> ofAnyAge.contains(sink.name()))
                        .map(BatchSink::recognisingForGood)
                        .toList());
    }

    /** Refuses an import whose older lines would be written nowhere. */
    void requireOneOfAnyAge(ImportConfig config) {
        if (longTerm.isEmpty()) {
            throw new RefusedException(
                    ErrorCode.INVALID_ARGUMENT,
                    "No sink of this service takes events of any age; add one of flagtally.import.long-term-sinks ("
                            + String.join(", ", config.longTermSinks()) + ") to flagtally.pipeline.sinks.");
        }
    }
}
