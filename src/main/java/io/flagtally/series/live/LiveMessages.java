package io.flagtally.series.live;

import io.micrometer.core.instrument.MeterRegistry;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The messages on their way to readers, so many bytes of them and no more. Where there is no room for one, it is made
 * later, and readers who have not taken theirs for a while are cut. Safe for use by several threads.
 */
@Singleton
class LiveMessages {

    /** Who takes a message does so within milliseconds, or seconds over a slow network. */
    private static final long STALLED_NANOS = Duration.ofSeconds(5).toNanos();

    /** Somebody to whom a message is on its way. */
    interface Recipient {

        /** Cuts his connection, soon. */
        void cut();
    }

    private record UnderWay(long bytes, long sinceNanos) {}

    private final LiveConfig config;

    /** The one under way for the longest comes first. */
    private final Map<Recipient, UnderWay> underWay = new LinkedHashMap<>();

    private long bytes;

    @Inject
    LiveMessages(LiveConfig config, MeterRegistry meters) {
        this.config = config;
        meters.gauge("flagtally.live.bytes", this, LiveMessages::bytes);
    }

    /** Takes room for a message of {@code more} bytes that begins its way at {@code nanos}; false if there is none. */
    boolean begin(Recipient to, long more, long nanos) {
        List<Recipient> stalled = new ArrayList<>();
        boolean room;
        synchronized (this) {
            takeFromStalled(more, nanos, stalled);
            room = bytes == 0 || bytes + more <= config.bytesMax();
            if (room) {
                UnderWay before = underWay.get(to);
                underWay.put(
                        to,
                        before == null
                                ? new UnderWay(more, nanos)
                                : new UnderWay(before.bytes + more, before.sinceNanos));
                bytes += more;
            }
        }
        stalled.forEach(Recipient::cut);
        return room;
    }

    /** All that was on its way to {@code to} has arrived, or never will. */
    synchronized void end(Recipient to) {
        UnderWay ended = underWay.remove(to);
        if (ended != null) {
            bytes -= ended.bytes;
        }
    }

    synchronized long bytes() {
        return bytes;
    }

    private void takeFromStalled(long more, long nanos, List<Recipient> stalled) {
        Iterator<Map.Entry<Recipient, UnderWay>> eldest = underWay.entrySet().iterator();
        while (bytes + more > config.bytesMax() && eldest.hasNext()) {
            Map.Entry<Recipient, UnderWay> each = eldest.next();
            if (nanos - each.getValue().sinceNanos < STALLED_NANOS) {
                return;
            }
            eldest.remove();
            bytes -= each.getValue().bytes;
            stalled.add(each.getKey());
        }
    }
}
