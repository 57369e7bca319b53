package io.flagtally.platform.security;

import io.flagtally.platform.security.SecurityConfig.ApiKeyConfig;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The keys of one state of the configuration, found by the SHA-256 of a key. Valid as a whole, or never made. */
final class KnownKeys {

    private static final Pattern SHA256 = Pattern.compile("[0-9a-fA-F]{64}");
    private static final int ENVIRONMENT_BYTES_MAX = 255;
    private static final Set<Role> SDK = EnumSet.of(Role.SDK_CLIENT, Role.SDK_SERVER);

    /** One key. */
    record Known(Caller caller, boolean disabled) {}

    private final Map<String, Known> bySha256;

    private KnownKeys(Map<String, Known> bySha256) {
        this.bySha256 = Map.copyOf(bySha256);
    }

    /** @throws IllegalArgumentException with one sentence, if a key is not as it should be */
    static KnownKeys of(SecurityConfig config) {
        Map<String, Known> known = new HashMap<>();
        config.apiKeys().forEach((name, key) -> {
            Known twin = known.put(sha256Of(name, key), known(name, key));
            if (twin != null) {
                throw new IllegalArgumentException(
                        at(twin.caller().keyName()) + " and " + at(name) + " are one and the same key; leave one out");
            }
        });
        if (known.isEmpty() && config.embeddedKey().isPresent()) {
            known.put(
                    sha256(config.embeddedKey().get()),
                    mayDoEverything(config.embeddedKey().get(), "default"));
            config.demoKey().ifPresent(key -> known.put(sha256(key), mayDoEverything(key, "demo")));
        }
        return new KnownKeys(known);
    }

    private static Known mayDoEverything(String key, String environment) {
        return new Known(new Caller(key, EnumSet.allOf(Role.class), environment), false);
    }

    @Nullable
    Known find(String key) {
        return bySha256.get(sha256(key));
    }

    /** Returns the key of that name, or null. There are few, so all are looked at. */
    @Nullable
    Known named(String name) {
        return bySha256.values().stream()
                .filter(known -> known.caller().keyName().equals(name))
                .findAny()
                .orElse(null);
    }

    int size() {
        return bySha256.size();
    }

    private static Known known(String name, ApiKeyConfig key) {
        boolean anyEnvironment = key.environment().equals(Caller.ANY);
        require(
                !key.roles().isEmpty(),
                name,
                "has no roles; give it one or more of SDK_CLIENT, SDK_SERVER, READ_ONLY" + " and ADMIN");
        require(
                !anyEnvironment || key.roles().stream().noneMatch(SDK::contains),
                name,
                "is of every environment (*), which a key with the role SDK_CLIENT or SDK_SERVER cannot be; name one");
        require(
                isIdentifier(key.environment()),
                name,
                "names an environment that is empty, longer than 255 bytes or holds control characters");
        return new Known(new Caller(name, Set.copyOf(key.roles()), key.environment()), key.disabled());
    }

    private static String sha256Of(String name, ApiKeyConfig key) {
        require(key.key().isPresent() || key.sha256().isPresent(), name, "has neither key nor sha256; set one of them");
        require(key.key().isEmpty() || key.sha256().isEmpty(), name, "has both key and sha256; leave one out");
        if (key.sha256().isPresent()) {
            require(
                    SHA256.matcher(key.sha256().get()).matches(),
                    name,
                    "has a sha256 that is not 64 hexadecimal digits; printf %s \"$KEY\" | sha256sum makes one");
            return key.sha256().get().toLowerCase(Locale.ROOT);
        }
        String plain = key.key().orElseThrow();
        require(!plain.isBlank() && plain.equals(plain.strip()), name, "has a key that is blank or begins or ends so");
        return sha256(plain);
    }

    private static boolean isIdentifier(String text) {
        return !text.isEmpty()
                && StandardCharsets.UTF_8.newEncoder().canEncode(text)
                && text.getBytes(StandardCharsets.UTF_8).length <= ENVIRONMENT_BYTES_MAX
                && text.chars().noneMatch(Character::isISOControl);
    }

    private static void require(boolean valid, String name, String sentence) {
        if (!valid) {
            throw new IllegalArgumentException(at(name) + " " + sentence);
        }
    }

    private static String at(String name) {
        return "flagtally.security.api-keys." + name;
    }

    private static String sha256(String key) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
