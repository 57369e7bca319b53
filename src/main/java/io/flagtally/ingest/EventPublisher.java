package io.flagtally.ingest;

import io.flagtally.codec.EventHeaders;
import io.flagtally.codec.EventOutlet;
import io.flagtally.codec.MalformedEventException;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.SourceId;
import io.flagtally.platform.Availability;
import io.flagtally.platform.Availability.Work;
import io.flagtally.platform.config.BrokerConfig;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.platform.error.UnavailableException;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.microprofile.reactive.messaging.Channel;
import org.eclipse.microprofile.reactive.messaging.Emitter;
import org.eclipse.microprofile.reactive.messaging.OnOverflow;
import org.jspecify.annotations.Nullable;

/**
 * Sends events to the channel {@code events-out} and says when they are safe.
 *
 * <p>What it holds is bounded by {@link InFlight}, up to the acknowledgement and not only up to the answer: a request
 * whose caller was told 503 keeps its room until the broker has decided.
 */
@ApplicationScoped
public class EventPublisher implements EventOutlet {

    /** The outgoing channel. */
    public static final String CHANNEL = "events-out";

    private final Outbox outbox;
    private final int messageBytesMax;
    private final InFlight inFlight;
    private final Availability availability;
    private final InstantSource clock;
    private final Duration ackTimeout;

    @Inject
    EventPublisher(
            @Channel(CHANNEL) @OnOverflow(OnOverflow.Strategy.UNBOUNDED_BUFFER) Emitter<byte[]> emitter,
            InFlight inFlight,
            Mirror mirror,
            Availability availability,
            Vertx vertx,
            InstantSource clock,
            IngestConfig config,
            BrokerConfig broker) {
        this(
                inFlight,
                availability,
                clock,
                config,
                broker,
                new Outbox(
                        broker,
                        emitter::send,
                        (delay, task) -> vertx.setTimer(Math.max(1, delay.toMillis()), id -> task.run()),
                        mirror::offer));
    }

    EventPublisher(
            InFlight inFlight,
            Availability availability,
            InstantSource clock,
            IngestConfig config,
            BrokerConfig broker,
            Outbox outbox) {
        this.outbox = outbox;
        this.messageBytesMax = broker.message().bytesMax();
        this.inFlight = inFlight;
        this.availability = availability;
        this.clock = clock;
        this.ackTimeout = config.ackTimeout();
    }

    /** @throws UnavailableException if no event can be made safe just now */
    void requireAvailable() {
        availability.missing(Work.ACCEPT).values().stream().findFirst().ifPresent(sentence -> {
            throw new UnavailableException(sentence, null);
        });
    }

    /** @throws MalformedEventException if {@code event} is larger than a message of the broker may be */
    void requireFits(String eventId, EventSlice event) throws MalformedEventException {
        if (event.lineBytes() > messageBytesMax) {
            throw new MalformedEventException(
                    eventId,
                    ErrorCode.EVENT_TOO_LARGE,
                    "gateway: the event has " + event.lineBytes() + " bytes, and a message takes at most "
                            + messageBytesMax);
        }
    }

    /**
     * Sends {@code events}, in as few messages as they need.
     *
     * @param source the SDK of events that name none
     * @param traceParent the W3C trace context of the request
     * @return completes when every event is safe; fails with {@link RefusedException} if too much is in flight, and
     *     with {@link UnavailableException} if the events are not safe in time: they may still become so
     */
    Uni<Void> publish(
            List<EventSlice> events, EnvironmentId environment, SourceId source, Optional<String> traceParent) {
        requireAvailable();
        int bytes = events.stream().mapToInt(EventSlice::lineBytes).sum();
        take(bytes);
        Sending sending = new Sending(bytes);
        outbox.add(events, environment, source, clock.instant(), traceParent, sending);
        sending.settled(null);
        return sending.safe();
    }

    @Override
    public Uni<Void> send(EventHeaders headers, byte[] payload) {
        requireAvailable();
        take(payload.length);
        Sending sending = new Sending(payload.length);
        outbox.send(headers, payload, sending);
        sending.settled(null);
        return sending.safe();
    }

    private void take(int bytes) {
        if (!inFlight.takeBytes(bytes)) {
            throw full();
        }
        if (!inFlight.takeMessage()) {
            inFlight.releaseBytes(bytes);
            throw full();
        }
    }

    private static RefusedException full() {
        return new RefusedException(
                ErrorCode.RESOURCE_EXHAUSTED, "gateway: too many events in flight; try again later");
    }

    /** A request whose events are on their way. It is safe when all its messages are, and unsafe as soon as one is not. */
    private final class Sending implements Outbox.Request {
        private final int bytes;
        /** Messages not yet decided, and one more while the request is being put into messages. */
        private final AtomicInteger undecided = new AtomicInteger(1);

        private final CompletableFuture<Void> outcome = new CompletableFuture<>();

        Sending(int bytes) {
            this.bytes = bytes;
        }

        @Override
        public void joined() {
            undecided.incrementAndGet();
        }

        @Override
        public void settled(@Nullable Throwable failure) {
            if (failure != null) {
                outcome.completeExceptionally(
                        new UnavailableException("the events could not be made safe; try again later", failure));
            }
            if (undecided.decrementAndGet() == 0) {
                inFlight.releaseBytes(bytes);
                inFlight.releaseMessage();
                outcome.complete(null);
            }
        }

        Uni<Void> safe() {
            // A copy, so that the time-out ends the waiting and not the sending.
            CompletableFuture<Void> waiting = outcome.copy();
            return Uni.createFrom()
                    .completionStage(waiting.orTimeout(ackTimeout.toMillis(), TimeUnit.MILLISECONDS))
                    .onFailure(java.util.concurrent.TimeoutException.class)
                    .transform(e -> new UnavailableException(
                            "the events are not safe after " + ackTimeout.toSeconds() + " s; try again later", null));
        }
    }
}
