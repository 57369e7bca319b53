package io.flagtally.series.live;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class LivePartTest {

    private static final LivePart ONE = LivePart.of("default\n2026-11-21", "{\"a\":1}");
    private static final LivePart TWO = LivePart.of("default\n2026-11-21", "{\"a\":2}");

    @Test
    void id_partsOfTwo_namesBothDigests() {
        String id = LivePart.id(List.of(ONE, TWO));

        assertEquals(16, id.length());
        assertEquals(Set.of(ONE.digest(), TWO.digest()), LivePart.digests(id, 2));
    }

    @Test
    void digest_sameTextOfAnotherDay_isAnother() {
        assertNotEquals(
                ONE.digest(), LivePart.of("default\n2026-11-22", "{\"a\":1}").digest());
        assertEquals(
                ONE.digest(), LivePart.of("default\n2026-11-21", "{\"a\":1}").digest());
    }

    @Test
    void digests_notAnId_areNone() {
        assertEquals(Set.of(), LivePart.digests("", 2));
        assertEquals(Set.of(), LivePart.digests("abc", 2));
        assertEquals(Set.of(), LivePart.digests("????????", 2));
        assertEquals(Set.of(), LivePart.digests("A".repeat(24), 2), "more than may be watched");
    }
}
