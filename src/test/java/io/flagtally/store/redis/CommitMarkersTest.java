package io.flagtally.store.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.flagtally.store.redis.CommitMarkers.Loss;
import io.flagtally.store.redis.CommitMarkers.Move;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CommitMarkersTest {

    private static final Instant BEGIN = Instant.parse("2091-11-21T12:00:00Z");

    private final CommitMarkers markers = new CommitMarkers("p", BEGIN, false);

    @Test
    void moved_repliesInAnyOrder_areNoLoss() {
        List<Move> inFlight = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            inFlight.add(markers.moves().get(0));
        }

        assertNull(markers.moved(inFlight.get(1), 2, at(2)));
        assertNull(markers.moved(inFlight.get(0), 1, at(3)));
        assertNull(markers.moved(inFlight.get(2), 3, at(4)));
    }

    @Test
    void moved_flushWhoseReplyWasLost_isNoLoss() {
        move(1);

        assertNull(markers.moved(markers.moves().get(0), 3, at(3)));
    }

    @Test
    void moved_lowerThanAcknowledged_namesTheLastThatIsLeft() {
        for (int i = 1; i <= 10; i++) {
            move(i);
        }

        Loss loss = markers.moved(markers.moves().get(0), 8, at(20));

        assertEquals(new Loss(3, at(7)), loss);
        assertNull(markers.moved(markers.moves().get(0), 9, at(21)));
    }

    @Test
    void seen_gone_namesTheBegin() {
        move(1);

        assertEquals(new Loss(1, BEGIN), markers.seen(markers.all().get(0), 0));
    }

    @Test
    void moved_moreFlushesThanTimesAreKept_namesAnEarlierOneButNeverALaterOne() {
        for (int i = 1; i <= 10 * CommitMarkers.TIMES_MAX; i++) {
            move(i);
        }

        Loss loss = markers.moved(markers.moves().get(0), 1_001, at(100_000));

        assertNotNull(loss);
        assertEquals(true, loss.from().compareTo(at(1_000)) <= 0, loss::toString);
    }

    @Test
    void crc_checkValueOfTheSpecification_isMet() {
        assertEquals(0x31C3, KeySlot.crc("123456789"));
        assertEquals(0x31C3, KeySlot.of("123456789"));
    }

    private void move(int value) {
        assertNull(markers.moved(markers.moves().get(0), value, at(value)));
    }

    private static Instant at(int second) {
        return BEGIN.plusSeconds(second);
    }
}
