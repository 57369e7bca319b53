package io.flagtally.series.live;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.testing.TestConfigs;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class LiveMessagesTest {

    private static final long LATER = Duration.ofSeconds(6).toNanos();

    private final LiveMessages messages = new LiveMessages(
            TestConfigs.of(LiveConfig.class, Map.of("flagtally.live.bytes-max", "1000")), new SimpleMeterRegistry());

    private static final class Reader implements LiveMessages.Recipient {
        private final AtomicInteger cuts = new AtomicInteger();

        @Override
        public void cut() {
            cuts.incrementAndGet();
        }
    }

    @Test
    void begin_beyondTheBound_hasNoRoomUntilAnotherEnds() {
        Reader one = new Reader();
        Reader other = new Reader();

        assertTrue(messages.begin(one, 700, 0));
        assertFalse(messages.begin(other, 400, 1));
        assertEquals(700, messages.bytes());
        messages.end(one);

        assertTrue(messages.begin(other, 400, 2));
        assertEquals(400, messages.bytes());
        assertEquals(0, one.cuts.get());
    }

    @Test
    void begin_beyondTheBound_cutsThoseWhoStallTheEldestFirst() {
        Reader eldest = new Reader();
        Reader elder = new Reader();
        Reader recent = new Reader();
        Reader next = new Reader();
        messages.begin(eldest, 300, 0);
        messages.begin(elder, 300, 1);
        messages.begin(recent, 300, LATER);

        assertTrue(messages.begin(next, 300, LATER + 1));

        assertEquals(1, eldest.cuts.get());
        assertEquals(0, elder.cuts.get(), "there was room without");
        assertEquals(900, messages.bytes());
        messages.end(eldest);
        assertEquals(900, messages.bytes(), "it has given its room already");
        assertFalse(messages.begin(next, 900, LATER + 2), "who is not stalled is not cut");
        assertEquals(0, recent.cuts.get());
    }

    @Test
    void begin_largerThanTheBound_goesAlone() {
        assertTrue(messages.begin(new Reader(), 5_000, 0));
        assertFalse(messages.begin(new Reader(), 1, 1));
    }

    @Test
    void end_severalMessagesOfOne_freesThemAll() {
        Reader reader = new Reader();
        messages.begin(reader, 300, 0);
        messages.begin(reader, 300, 1);

        messages.end(reader);

        assertEquals(0, messages.bytes());
    }
}
