package io.flagtally.platform.security;

import io.flagtally.platform.security.AccessDeniedException.Denial;
import io.flagtally.platform.security.SecurityConfig.ApiKeyConfig;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The API keys that are known. Keys are compared by their SHA-256, so that no comparison leaks a key by its time. */
@Singleton
public class ApiKeys {

    private record Entry(Caller caller, boolean disabled) {}

    private volatile Map<String, Entry> bySha256 = Map.of();

    @Inject
    public ApiKeys(SecurityConfig config) {
        replace(config);
    }

    /** Replaces every key by those of {@code config}. */
    void replace(SecurityConfig config) {
        Map<String, Entry> entries = new HashMap<>();
        config.apiKeys().forEach((name, key) -> entries.put(sha256Of(name, key), entry(name, key)));
        bySha256 = Map.copyOf(entries);
    }

    /**
     * Returns the caller that {@code header} names.
     *
     * @param header the raw key, or {@code Bearer} and the key
     * @param anyOf the roles of which the caller must have one
     * @throws AccessDeniedException if it may not call
     */
    public Caller require(@Nullable String header, Role... anyOf) {
        if (header == null || header.isBlank()) {
            throw new AccessDeniedException(Denial.MISSING_KEY);
        }
        String key = header.regionMatches(true, 0, "Bearer ", 0, 7)
                ? header.substring(7).trim()
                : header;
        Entry entry = bySha256.get(sha256(key));
        if (entry == null) {
            throw new AccessDeniedException(Denial.INVALID_KEY);
        }
        if (entry.disabled()) {
            throw new AccessDeniedException(Denial.DISABLED_KEY);
        }
        if (Set.of(anyOf).stream().noneMatch(entry.caller().roles()::contains)) {
            throw new AccessDeniedException(Denial.BAD_ROLE);
        }
        return entry.caller();
    }

    private static Entry entry(String name, ApiKeyConfig key) {
        return new Entry(new Caller(name, Set.copyOf(key.roles()), key.environment()), key.disabled());
    }

    private static String sha256Of(String name, ApiKeyConfig key) {
        return key.sha256()
                .map(hex -> hex.toLowerCase(Locale.ROOT))
                .or(() -> key.key().map(ApiKeys::sha256))
                .orElseThrow(() -> new IllegalArgumentException(
                        "flagtally.security.api-keys." + name + " has neither key nor sha256; set one of them"));
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
