package io.flagtally.pipeline;

import io.flagtally.codec.EventHeaders;
import io.flagtally.codec.EventOutlet;
import io.flagtally.event.EnvironmentId;
import io.flagtally.platform.error.ErrorCode;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/**
 * Sends dead letters back the way events go, and removes each once it is safe there. Sending one twice changes nothing: a
 * sink that has its event recognises it. A letter that comes back stays.
 */
@Singleton
class Redrive {

    /** Letters on their way at once. */
    private static final int IN_FLIGHT_MAX = 16;

    /** What became of a letter. */
    @Schema(name = "RedriveOutcome")
    enum Outcome {
        /** It is on its way again, and no longer a dead letter. */
        SENT,
        /** It was sent and came back: what is wrong with it is still wrong. */
        CAME_BACK,
        /** Whether it was counted is no longer known; only {@code force} sends it. */
        WINDOW_PASSED,
        /** There is no such letter; it may have been sent already. */
        NOT_FOUND,
        /** It could not be made safe just now, and is still a dead letter. */
        FAILED
    }

    @Schema(name = "RedriveResult")
    record Result(UUID id, Outcome outcome) {}

    private final DeadLetterStore store;
    private final EventOutlet outlet;
    private final Duration window;
    private final InstantSource clock;

    @Inject
    Redrive(DeadLetterStore store, EventOutlet outlet, DeduplicationConfig deduplication, InstantSource clock) {
        this.store = store;
        this.outlet = outlet;
        this.window = deduplication.window();
        this.clock = clock;
    }

    /** @param force sends letters too that were accepted before the window in which repeats are recognised */
    Uni<List<Result>> send(EnvironmentId environment, List<UUID> ids, boolean force) {
        return Multi.createFrom()
                .iterable(ids)
                .onItem()
                .transformToUni(id -> send(environment, id, force))
                .merge(IN_FLIGHT_MAX)
                .collect()
                .asList();
    }

    private Uni<Result> send(EnvironmentId environment, UUID id, boolean force) {
        return store.read(environment, id)
                .chain(kept -> kept.isEmpty() ? outcome(Outcome.NOT_FOUND) : send(kept.get(), force))
                .map(outcome -> new Result(id, outcome));
    }

    private Uni<Outcome> send(KeptLetter kept, boolean force) {
        EventHeaders headers = kept.letter().headers();
        Instant now = clock.instant();
        boolean passed = kept.letter().code() == ErrorCode.DEDUPLICATION_WINDOW_PASSED
                || headers.acceptedAt().plus(window).isBefore(now);
        if (passed && !force) {
            return outcome(Outcome.WINDOW_PASSED);
        }
        return Uni.createFrom()
                .deferred(() -> outlet.send(
                        passed ? acceptedAt(now, headers) : headers,
                        kept.letter().payload()))
                .chain(safe -> store.remove(kept))
                .map(removed -> removed ? Outcome.SENT : Outcome.CAME_BACK)
                .onFailure()
                .recoverWithItem(Outcome.FAILED);
    }

    /** Someone decided that it was not counted, so it is accepted anew. */
    private static EventHeaders acceptedAt(Instant now, EventHeaders headers) {
        return new EventHeaders(
                headers.environment(),
                headers.source(),
                headers.contentType(),
                headers.events(),
                now,
                Optional.empty());
    }

    private static Uni<Outcome> outcome(Outcome outcome) {
        return Uni.createFrom().item(outcome);
    }
}
