package io.flagtally.store.postgres;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.testing.TestConfigs;
import io.quarkus.runtime.configuration.ConfigurationException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MauConfigTest {

    @Test
    void requireSound_defaults_areSound() {
        assertDoesNotThrow(() -> config(Map.of()).requireSound());
    }

    @ParameterizedTest
    @CsvSource({"shards,1", "shards,1024", "retention-months,2", "event-ids-retention,800H"})
    void requireSound_withinBounds_isSound(String key, String value) {
        assertDoesNotThrow(() -> config(Map.of("flagtally.mau." + key, value)).requireSound());
    }

    @ParameterizedTest
    @CsvSource({
        "shards,0",
        "shards,-1",
        "shards,1025",
        "shards,40000",
        "retention-months,1",
        "retention-months,-1",
        "retention-months,100000",
        "event-ids-retention,791H"
    })
    void requireSound_outOfBounds_namesTheKey(String key, String value) {
        MauConfig config = config(Map.of("flagtally.mau." + key, value));

        ConfigurationException refused = assertThrows(ConfigurationException.class, config::requireSound);

        assertTrue(String.valueOf(refused.getMessage()).startsWith("flagtally.mau." + key + " is "), refused::toString);
    }

    private static MauConfig config(Map<String, String> keys) {
        return TestConfigs.of(MauConfig.class, keys);
    }
}
