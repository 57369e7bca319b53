package io.flagtally.series.live;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.testing.TestConfigs;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LiveReadersTest {

    private final LiveReaders readers = new LiveReaders(
            TestConfigs.of(
                    LiveConfig.class,
                    Map.of("flagtally.live.readers-max", "3", "flagtally.live.readers-per-key-max", "2")),
            new SimpleMeterRegistry());

    @Test
    void enter_overTheBoundOfAKey_isRefusedUntilOneLeaves() {
        readers.enter("one");
        readers.enter("one");

        assertFull("one", "readers-per-key-max");
        readers.enter("two");
        readers.leave("one");
        readers.enter("one");

        assertEquals(3, readers.size());
    }

    @Test
    void enter_overTheBoundOfTheInstance_isRefusedWhateverTheKey() {
        readers.enter("one");
        readers.enter("one");
        readers.enter("two");

        assertFull("three", "readers-max");
        readers.leave("two");
        readers.enter("three");
    }

    private void assertFull(String key, String bound) {
        RefusedException refused = assertThrows(RefusedException.class, () -> readers.enter(key));
        assertEquals(ErrorCode.RESOURCE_EXHAUSTED, refused.code());
        assertEquals(true, refused.detail().contains("flagtally.live." + bound), refused.detail());
    }
}
