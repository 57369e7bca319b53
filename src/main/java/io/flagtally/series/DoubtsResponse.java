package io.flagtally.series;

import java.time.Instant;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** When the store may have forgotten counts. */
record DoubtsResponse(
        @Schema(description = "The last found first; empty if nothing was ever found")
        List<Interval> doubts) {

    @Schema(name = "DoubtfulInterval")
    record Interval(
            @Schema(
                    description = "marker-went-back: acknowledged writes are gone. installation-lost: the store was"
                            + " emptied. server-changed: another server, or the same after a new start. evicted: keys"
                            + " were dropped for want of memory",
                    examples = "marker-went-back")
            String cause,

            @Schema(description = "The last write known to be safe")
            Instant from,

            @Schema(description = "The first write after it")
            Instant to,

            @Schema(description = "The process that found it")
            String process,

            @Schema(description = "One sentence for a person")
            String detail) {}

    static DoubtsResponse of(List<Doubt> doubts) {
        return new DoubtsResponse(doubts.stream()
                .map(doubt ->
                        new Interval(doubt.cause().label(), doubt.from(), doubt.to(), doubt.process(), doubt.detail()))
                .toList());
    }
}
