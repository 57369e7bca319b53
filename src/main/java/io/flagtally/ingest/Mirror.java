package io.flagtally.ingest;

import io.flagtally.codec.EventHeaders;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import org.eclipse.microprofile.reactive.messaging.Channel;
import org.eclipse.microprofile.reactive.messaging.Emitter;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.eclipse.microprofile.reactive.messaging.Metadata;
import org.eclipse.microprofile.reactive.messaging.OnOverflow;

/**
 * Sends accepted events to the channel {@code mirror-out} too, best effort: it never fails and never waits, and what it
 * cannot hold or the mirror refuses is dropped and counted.
 */
@ApplicationScoped
class Mirror {

    static final String CHANNEL = "mirror-out";

    private final boolean on;
    private final int bytesMax;
    private final Emitter<byte[]> emitter;
    private final InFlight inFlight;
    private final Counter sent;
    private final Counter dropped;

    @Inject
    Mirror(
            MirrorConfig config,
            @Channel(CHANNEL) @OnOverflow(OnOverflow.Strategy.UNBOUNDED_BUFFER) Emitter<byte[]> emitter,
            MeterRegistry meters) {
        this.on = config.publishTo().isPresent();
        this.bytesMax = config.bytesMax();
        this.emitter = emitter;
        this.inFlight =
                new InFlight(config.inFlight().messagesMax(), config.inFlight().bytesMax());
        sent = meters.counter("flagtally.ingest.mirror.sent");
        dropped = meters.counter("flagtally.ingest.mirror.dropped");
    }

    /** Offers the events of {@code message}, which the broker has. */
    void offer(Message<byte[]> message) {
        if (on) {
            message.getMetadata(EventHeaders.class).ifPresent(headers -> offer(headers, message.getPayload()));
        }
    }

    /** Sends the lines of {@code payload} in messages of at most {@link #bytesMax}; a line that is larger goes alone. */
    private void offer(EventHeaders headers, byte[] payload) {
        int start = 0;
        int lines = 0;
        int lineStart = 0;
        for (int i = 0; i < payload.length; i++) {
            if (payload[i] != '\n') {
                continue;
            }
            if (lines > 0 && i + 1 - start > bytesMax) {
                send(headers, lines, Arrays.copyOfRange(payload, start, lineStart));
                start = lineStart;
                lines = 0;
            }
            lines++;
            lineStart = i + 1;
        }
        if (lines > 0) {
            send(headers, lines, start == 0 ? payload : Arrays.copyOfRange(payload, start, payload.length));
        }
    }

    private void send(EventHeaders headers, int events, byte[] payload) {
        if (!inFlight.takeMessage()) {
            dropped.increment(events);
            return;
        }
        if (!inFlight.takeBytes(payload.length)) {
            inFlight.releaseMessage();
            dropped.increment(events);
            return;
        }
        AtomicBoolean decided = new AtomicBoolean();
        EventHeaders own = new EventHeaders(
                headers.environment(),
                headers.source(),
                headers.contentType(),
                events,
                headers.acceptedAt(),
                headers.traceParent());
        try {
            emitter.send(Message.of(
                    payload,
                    Metadata.of(own),
                    () -> settled(decided, sent, events, payload.length),
                    failure -> settled(decided, dropped, events, payload.length)));
        } catch (RuntimeException e) {
            var unused = settled(decided, dropped, events, payload.length);
        }
    }

    private CompletionStage<Void> settled(AtomicBoolean decided, Counter outcome, int events, int bytes) {
        if (decided.compareAndSet(false, true)) {
            inFlight.releaseMessage();
            inFlight.releaseBytes(bytes);
            outcome.increment(events);
        }
        return CompletableFuture.completedFuture(null);
    }
}
