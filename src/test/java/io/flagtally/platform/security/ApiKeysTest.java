package io.flagtally.platform.security;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.platform.security.AccessDeniedException.Denial;
import io.flagtally.testing.TestConfigs;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ApiKeysTest {

    private static final String SHA256_OF_TEST = "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08";

    private final ApiKeys keys = keys(Map.of(
            "web.key", "web-key",
            "web.roles", "SDK_CLIENT",
            "web.environment", "production",
            "hashed.sha256", SHA256_OF_TEST,
            "hashed.roles", "READ_ONLY,ADMIN",
            "hashed.environment", "*",
            "gone.key", "gone-key",
            "gone.roles", "ADMIN",
            "gone.disabled", "true"));

    @ParameterizedTest
    @CsvSource({"web-key, web", "Bearer web-key, web", "bearer web-key, web", "test, hashed"})
    void require_knownKey_isItsCaller(String header, String name) {
        assertEquals(name, keys.require(header, Role.SDK_CLIENT, Role.READ_ONLY).keyName());
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "none",
            value = {
                "none, MISSING_KEY",
                "' ', MISSING_KEY",
                "WEB-KEY, INVALID_KEY",
                "web-key x, INVALID_KEY",
                "Bearer, INVALID_KEY",
                "gone-key, DISABLED_KEY",
                "web-key, BAD_ROLE"
            })
    void require_otherKey_isDenied(String header, Denial denial) {
        AccessDeniedException denied =
                assertThrows(AccessDeniedException.class, () -> keys.require(header, Role.READ_ONLY));

        assertEquals(denial, denied.denial());
    }

    @Test
    void environmentFor_otherEnvironment_isDeniedButForAKeyOfEvery() {
        Caller web = keys.require("web-key", Role.SDK_CLIENT);
        Caller every = keys.require("test", Role.ADMIN);

        assertEquals("production", web.environmentFor(""));
        assertEquals("production", web.environmentFor("production"));
        assertThrows(AccessDeniedException.class, () -> web.environmentFor("staging"));
        assertEquals("staging", every.environmentFor("staging"));
        assertEquals("default", every.environmentFor(null));
    }

    @Test
    void require_embeddedKey_holdsOnlyWhileNoOtherIsConfigured() {
        String embedded = "flagtally.security.embedded-key";
        ApiKeys alone = new ApiKeys(TestConfigs.of(SecurityConfig.class, Map.of(embedded, "local")));
        assertEquals("default", alone.require("local", Role.ADMIN).environmentFor(null));

        ApiKeys replaced = new ApiKeys(TestConfigs.of(
                SecurityConfig.class,
                Map.of(
                        embedded,
                        "local",
                        "flagtally.security.api-keys.web.key",
                        "web-key",
                        "flagtally.security.api-keys.web.roles",
                        "SDK_CLIENT")));
        assertThrows(AccessDeniedException.class, () -> replaced.require("local", Role.ADMIN));
    }

    @Test
    void require_demoKey_holdsOnlyBesideTheEmbeddedKey() {
        String demo = "flagtally.security.demo-key";
        ApiKeys embedded = new ApiKeys(
                TestConfigs.of(SecurityConfig.class, Map.of("flagtally.security.embedded-key", "local", demo, "demo")));
        assertEquals("demo", embedded.require("demo", Role.SDK_SERVER).environmentFor(null));
        assertEquals("default", embedded.require("local", Role.ADMIN).environmentFor(null));

        ApiKeys alone = new ApiKeys(TestConfigs.of(SecurityConfig.class, Map.of(demo, "demo")));
        assertThrows(AccessDeniedException.class, () -> alone.require("demo", Role.ADMIN));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "roles=ADMIN -> has neither key nor sha256",
                "key=k sha256=" + SHA256_OF_TEST + " roles=ADMIN -> has both key and sha256",
                "sha256=abc roles=ADMIN -> is not 64 hexadecimal digits",
                "sha256=" + SHA256_OF_TEST + "0 roles=ADMIN -> is not 64 hexadecimal digits",
                "key=k roles=SDK_CLIENT environment=* -> is of every environment",
                "key=k roles=ADMIN,SDK_SERVER environment=* -> is of every environment",
                "key=k -> roles is required",
                "key=web-key roles=ADMIN -> one and the same key"
            })
    void of_keyThatIsNotAsItShouldBe_isOneSentence(String row) {
        Map<String, String> bad = new HashMap<>(Map.of("web.key", "web-key", "web.roles", "ADMIN"));
        for (String pair : row.substring(0, row.indexOf(" ->")).split(" ")) {
            bad.put("bad." + pair.substring(0, pair.indexOf('=')), pair.substring(pair.indexOf('=') + 1));
        }

        RuntimeException refused = assertThrows(RuntimeException.class, () -> keys(bad));

        String message = String.valueOf(refused.getMessage());
        String sentence = row.substring(row.indexOf("-> ") + 3);
        assertTrue(message.contains(sentence), message);
        assertTrue(message.contains("flagtally.security.api-keys.bad"), message);
    }

    private static ApiKeys keys(Map<String, String> keys) {
        Map<String, String> config = new HashMap<>();
        keys.forEach((key, value) -> config.put("flagtally.security.api-keys." + key, value));
        return new ApiKeys(TestConfigs.of(SecurityConfig.class, config));
    }
}
