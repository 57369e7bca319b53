package io.flagtally.platform;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.platform.embedded.EmbeddedStartException;
import io.flagtally.platform.embedded.LoopbackPort;
import io.flagtally.testing.PostgresServerForTests;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class ConfiguredPostgresTest {

    private static final Duration LONG = Duration.ofSeconds(60);

    @Test
    void requireAnswer_serverThatNeverComes_isOneSentenceThatNamesTheKey() {
        String url = "postgresql://127.0.0.1:" + LoopbackPort.free() + "/flagtally";

        String sentence = refusal(url, Duration.ofMillis(1500));

        assertTrue(sentence.startsWith("PostgreSQL at " + url + " did not answer within 1 s ("), sentence);
        assertTrue(sentence.endsWith("start it, or correct flagtally.postgres.url."), sentence);
        assertEquals(1, sentence.lines().count());
    }

    @Test
    void requireAnswer_serverOfAnotherDatabase_isNotWaitedFor() {
        try (PostgresServerForTests server = PostgresServerForTests.start()) {
            String url = "postgresql://127.0.0.1:" + server.port();

            assertDoesNotThrow(() -> ConfiguredPostgres.requireAnswer(url + "/postgres", "postgres", "postgres", LONG));
            String sentence = refusal(url + "/nowhere", Duration.ofDays(1));

            assertTrue(sentence.contains("does not let the service in"), sentence);
            assertTrue(sentence.contains("flagtally.postgres.url"), sentence);
        }
    }

    private static String refusal(String url, Duration patience) {
        return String.valueOf(assertThrows(
                        EmbeddedStartException.class,
                        () -> ConfiguredPostgres.requireAnswer(url, "postgres", "postgres", patience))
                .getMessage());
    }
}
