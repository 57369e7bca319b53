package io.flagtally.ingest;

import io.flagtally.codec.MalformedEventException;
import io.flagtally.event.EventId;
import io.flagtally.event.FlagEvent;
import io.flagtally.platform.EventTally;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.StatusAnswers;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.smallrye.mutiny.Uni;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import jakarta.ws.rs.core.Response;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** What happens at the doors, counted. */
@Singleton
class IngestMeters {

    private final MeterRegistry meters;
    private final EventTally tally;
    private final Counter accepted;
    private final Counter idReused;

    @Inject
    IngestMeters(MeterRegistry meters, EventTally tally) {
        this.meters = meters;
        this.tally = tally;
        accepted = meters.counter("flagtally.events.accepted");
        idReused = meters.counter("flagtally.events.id_reused");
    }

    /** Counts events whose sender was told that they are safe, repeats included; their request came at {@code at}. */
    void accepted(int events, Instant at) {
        accepted.increment(events);
        tally.add(at, EventTally.ACCEPTED, events);
    }

    void refused(List<MalformedEventException> faults) {
        Map<ErrorCode, Long> byCode =
                faults.stream().collect(Collectors.groupingBy(MalformedEventException::code, Collectors.counting()));
        byCode.forEach((code, events) -> {
            meters.counter("flagtally.events.refused", "code", code.label()).increment(events);
            tally.add(EventTally.REFUSED + code.name(), events);
        });
    }

    /** Counts the ids that more than one event of a request came with; the same event twice is no such thing. */
    void idsReused(List<RegisterEventsRequest.Accepted> events) {
        Map<EventId, FlagEvent> byId = new HashMap<>();
        for (RegisterEventsRequest.Accepted each : events) {
            FlagEvent event = each.event();
            FlagEvent first = byId.putIfAbsent(event.id(), event);
            if (first != null && !sameIdentity(first, event)) {
                idReused.increment();
            }
        }
    }

    /** Answers a call of {@code door}, its failures included, and measures how long that took. */
    Uni<Response> timed(String door, Supplier<Uni<Response>> call) {
        Timer.Sample sample = Timer.start(meters);
        return Uni.createFrom()
                .deferred(() -> call.get())
                .onFailure()
                .recoverWithItem(StatusAnswers::of)
                .invoke(answer -> sample.stop(Timer.builder("flagtally.ingest.request")
                        .tag("door", door)
                        .tag("status", Integer.toString(answer.getStatus()))
                        .register(meters)));
    }

    private static boolean sameIdentity(FlagEvent one, FlagEvent other) {
        return one.time().equals(other.time()) && counter(one).equals(counter(other));
    }

    /** What an event is counted under, within its environment. */
    private static List<Object> counter(FlagEvent event) {
        return event.match(
                evaluation -> List.of(evaluation.flag(), evaluation.variation()), goal -> List.of(goal.goal()));
    }
}
