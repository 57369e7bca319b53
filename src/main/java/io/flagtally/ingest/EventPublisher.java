package io.flagtally.ingest;

import io.flagtally.codec.BucketeerCodec;
import io.flagtally.codec.EventHeaders;
import io.flagtally.codec.EventLines;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.SourceId;
import io.flagtally.platform.Availability;
import io.flagtally.platform.Availability.Work;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.platform.error.UnavailableException;
import io.smallrye.mutiny.Uni;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.eclipse.microprofile.reactive.messaging.Channel;
import org.eclipse.microprofile.reactive.messaging.Emitter;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.eclipse.microprofile.reactive.messaging.Metadata;
import org.eclipse.microprofile.reactive.messaging.OnOverflow;
import org.jboss.logging.Logger;

/**
 * Sends events to the channel {@code events-out} and says when they are safe.
 *
 * <p>What it holds is bounded by {@link InFlight}, up to the acknowledgement and not only up to the answer: a message
 * whose caller was told 503 keeps its room until the broker has decided.
 */
@ApplicationScoped
public class EventPublisher {

    /** The outgoing channel. */
    public static final String CHANNEL = "events-out";

    private static final Logger LOG = Logger.getLogger(EventPublisher.class);

    private final Emitter<byte[]> emitter;
    private final InFlight inFlight;
    private final Availability availability;
    private final InstantSource clock;
    private final Duration ackTimeout;

    @Inject
    EventPublisher(
            @Channel(CHANNEL) @OnOverflow(OnOverflow.Strategy.UNBOUNDED_BUFFER) Emitter<byte[]> emitter,
            InFlight inFlight,
            Availability availability,
            InstantSource clock,
            IngestConfig config) {
        this.emitter = emitter;
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

    /**
     * Sends {@code lines} as one message.
     *
     * @param source the SDK of events that name none
     * @return completes when every event is safe; fails with {@link RefusedException} if too much is in flight, and
     *     with {@link UnavailableException} if the events are not safe in time: they may still become so
     */
    Uni<Void> publish(EventLines lines, EnvironmentId environment, SourceId source) {
        requireAvailable();
        byte[] payload = lines.payload();
        if (!inFlight.takeBytes(payload.length)) {
            throw full();
        }
        if (!inFlight.takeMessage()) {
            inFlight.releaseBytes(payload.length);
            throw full();
        }
        Sending sending = new Sending(payload.length);
        EventHeaders headers =
                new EventHeaders(environment, source, BucketeerCodec.CONTENT_TYPE, lines.events(), clock.instant());
        try {
            emitter.send(Message.of(payload, Metadata.of(headers), sending::ack, sending::nack));
        } catch (RuntimeException e) {
            sending.end();
            LOG.warnf("The channel %s takes no message: %s", CHANNEL, e);
            throw new UnavailableException("the channel of events takes no message just now", e);
        }
        return sending.safe();
    }

    private static RefusedException full() {
        return new RefusedException(
                ErrorCode.RESOURCE_EXHAUSTED, "gateway: too many events in flight; try again later");
    }

    /** One message on its way. It ends once, whoever says so. */
    private final class Sending {
        private final int bytes;
        private final AtomicBoolean ended = new AtomicBoolean();
        private final CompletableFuture<Void> outcome = new CompletableFuture<>();

        Sending(int bytes) {
            this.bytes = bytes;
        }

        CompletionStage<Void> ack() {
            end();
            outcome.complete(null);
            return CompletableFuture.completedFuture(null);
        }

        CompletionStage<Void> nack(Throwable reason) {
            end();
            outcome.completeExceptionally(
                    new UnavailableException("the events could not be made safe; try again later", reason));
            return CompletableFuture.completedFuture(null);
        }

        void end() {
            if (ended.compareAndSet(false, true)) {
                inFlight.releaseBytes(bytes);
                inFlight.releaseMessage();
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
