package io.flagtally.platform.security;

import io.flagtally.platform.security.AccessDeniedException.Denial;
import io.quarkus.runtime.Startup;
import io.smallrye.config.SmallRyeConfig;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The API keys that are known. Keys are compared by their SHA-256, so that no comparison leaks a key by its time. All of
 * them are replaced at once or none is; safe for use by several threads.
 */
@Singleton
@Startup
public class ApiKeys {

    private volatile KnownKeys known;

    /** @throws IllegalArgumentException with one sentence, if a key is not as it should be */
    @Inject
    ApiKeys(ApiKeySources sources) {
        this(sources.read());
    }

    /** @throws IllegalArgumentException with one sentence, if a key is not as it should be */
    public ApiKeys(SecurityConfig config) {
        known = KnownKeys.of(config);
    }

    /** @throws IllegalArgumentException with one sentence, if a key in {@code config} or its files is not as it should be */
    public static void requireValid(SmallRyeConfig config) {
        KnownKeys unused = KnownKeys.of(new ApiKeySources(config).read());
    }

    /**
     * Replaces every key by those of {@code config}.
     *
     * @return how many there are
     * @throws IllegalArgumentException with one sentence, if one is not as it should be; then the old ones stay
     */
    int replace(SecurityConfig config) {
        KnownKeys next = KnownKeys.of(config);
        known = next;
        return next.size();
    }

    /** Whether the key named {@code keyName} may call just now, in {@code environment} and with one of {@code anyOf}. */
    public boolean allows(String keyName, String environment, Role... anyOf) {
        KnownKeys.Known key = known.named(keyName);
        return key != null
                && !key.disabled()
                && (key.caller().everyEnvironment()
                        || key.caller().environment().equals(environment))
                && Set.of(anyOf).stream().anyMatch(key.caller().roles()::contains);
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
        boolean bearer = header.regionMatches(true, 0, "Bearer ", 0, 7);
        KnownKeys.Known key = known.find(bearer ? header.substring(7).trim() : header);
        if (key == null) {
            throw new AccessDeniedException(Denial.INVALID_KEY);
        }
        if (key.disabled()) {
            throw new AccessDeniedException(Denial.DISABLED_KEY);
        }
        if (Set.of(anyOf).stream().noneMatch(key.caller().roles()::contains)) {
            throw new AccessDeniedException(Denial.BAD_ROLE);
        }
        return key.caller();
    }
}
