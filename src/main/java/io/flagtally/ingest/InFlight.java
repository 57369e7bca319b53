package io.flagtally.ingest;

import io.micrometer.core.instrument.MeterRegistry;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** What the doors hold in memory at once: bytes of bodies and messages, and messages not yet safe. Both are bounded. */
@Singleton
class InFlight {

    private final int messagesMax;
    private final long bytesMax;
    private final AtomicInteger messages = new AtomicInteger();
    private final AtomicLong bytes = new AtomicLong();

    @Inject
    InFlight(IngestConfig config, MeterRegistry meters) {
        this(config.inFlight().messagesMax(), config.inFlight().bytesMax());
        meters.gauge("flagtally.ingest.in_flight.messages", messages);
        meters.gauge("flagtally.ingest.in_flight.bytes", bytes);
    }

    InFlight(int messagesMax, long bytesMax) {
        this.messagesMax = messagesMax;
        this.bytesMax = bytesMax;
    }

    /** Takes room for a message; false, and nothing is taken, if there is none. */
    boolean takeMessage() {
        if (messages.incrementAndGet() <= messagesMax) {
            return true;
        }
        messages.decrementAndGet();
        return false;
    }

    void releaseMessage() {
        messages.decrementAndGet();
    }

    /** Takes room for {@code count} bytes; false, and nothing is taken, if there is none. */
    boolean takeBytes(long count) {
        if (bytes.addAndGet(count) <= bytesMax) {
            return true;
        }
        bytes.addAndGet(-count);
        return false;
    }

    void releaseBytes(long count) {
        bytes.addAndGet(-count);
    }

    int messages() {
        return messages.get();
    }

    long bytes() {
        return bytes.get();
    }
}
