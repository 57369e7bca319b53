package io.flagtally.platform.security;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.flagtally.platform.security.AccessDeniedException.Denial;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.smallrye.config.SmallRyeConfigBuilder;
import io.smallrye.config.source.yaml.YamlConfigSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ApiKeyReloadTest {

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();

    private Path file;
    private Path secret;
    private ApiKeys keys;
    private ApiKeyReload reload;

    @BeforeEach
    void start(@TempDir Path directory) throws IOException {
        file = directory.resolve("application.yaml");
        secret = directory.resolve("keys.yaml");
        write(file, "old");
        Files.writeString(secret, "");
        var started = new SmallRyeConfigBuilder()
                .withSources(new YamlConfigSource(file.toUri().toURL(), 260))
                .withDefaultValues(Map.of("flagtally.security.keys-file", secret.toString()))
                .build();
        ApiKeySources sources = new ApiKeySources(started);
        keys = new ApiKeys(sources);
        reload = new ApiKeyReload(keys, sources, meters);
    }

    @Test
    void check_keyRotated_bothHoldAndThenOnlyTheNewOne() throws IOException {
        write(file, "old", "new");
        reload.check();
        assertEquals("old", keys.require("old", Role.SDK_CLIENT).keyName());
        assertEquals("new", keys.require("Bearer new", Role.SDK_CLIENT).keyName());

        write(file, "new");
        reload.check();
        assertDenied(Denial.INVALID_KEY, "old");
        assertEquals(
                2,
                meters.counter("flagtally.security.reloads", "outcome", "taken").count());
    }

    @Test
    void check_withoutIt_nothingChanges() throws IOException {
        write(file, "new");

        assertDenied(Denial.INVALID_KEY, "new");
    }

    @Test
    void check_nothingChanged_readsNothing() {
        reload.check();

        assertEquals(
                0,
                meters.counter("flagtally.security.reloads", "outcome", "taken").count());
    }

    @Test
    void check_brokenFile_keepsTheOldKeysUntilItIsMended() throws IOException {
        Files.writeString(file, "flagtally: [\n");
        reload.check();
        reload.check();
        assertEquals("old", keys.require("old", Role.SDK_CLIENT).keyName());
        assertEquals(
                1,
                meters.counter("flagtally.security.reloads", "outcome", "refused")
                        .count());

        Files.delete(file);
        reload.check();
        assertEquals("old", keys.require("old", Role.SDK_CLIENT).keyName());

        write(file, "new");
        reload.check();
        assertDenied(Denial.INVALID_KEY, "old");
    }

    @Test
    void check_invalidKey_keepsEveryOldOne() throws IOException {
        Files.writeString(file, yaml("new") + "      bad:\n        sha256: abc\n        roles: [ADMIN]\n");

        reload.check();

        assertEquals("old", keys.require("old", Role.SDK_CLIENT).keyName());
        assertDenied(Denial.INVALID_KEY, "new");
    }

    @Test
    void check_keysFile_addsAndBeatsTheOperatorsFile() throws IOException {
        Files.writeString(secret, yaml("added") + "      old:\n        disabled: true\n");

        reload.check();

        assertEquals("added", keys.require("added", Role.SDK_CLIENT).keyName());
        assertDenied(Denial.DISABLED_KEY, "old");
    }

    private void assertDenied(Denial denial, String key) {
        AccessDeniedException denied =
                assertThrows(AccessDeniedException.class, () -> keys.require(key, Role.SDK_CLIENT));
        assertEquals(denial, denied.denial());
    }

    private static void write(Path file, String... names) throws IOException {
        Files.writeString(file, yaml(names));
    }

    private static String yaml(String... names) {
        StringBuilder yaml = new StringBuilder("flagtally:\n  security:\n    api-keys:\n");
        for (String name : names) {
            yaml.append("      ")
                    .append(name)
                    .append(":\n        key: ")
                    .append(name)
                    .append("\n");
            yaml.append("        roles: [SDK_CLIENT]\n");
        }
        return yaml.toString();
    }
}
