package io.flagtally.platform.security;

import io.flagtally.platform.security.AccessDeniedException.Denial;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Who calls, once a key was recognised.
 *
 * @param keyName the name of the key in the configuration, never the key
 * @param environment the environment of the key, {@code *} for every one
 */
public record Caller(String keyName, Set<Role> roles, String environment) {

    static final String ANY = "*";

    /** Whether this caller may read every environment. */
    public boolean everyEnvironment() {
        return environment.equals(ANY);
    }

    /**
     * Returns the environment that this caller means by {@code requested}: the key's if it is missing or empty; for a
     * key of every environment, then {@code default}.
     *
     * @throws AccessDeniedException if the key belongs to another environment
     */
    public String environmentFor(@Nullable String requested) {
        if (requested == null || requested.isEmpty()) {
            return everyEnvironment() ? "default" : environment;
        }
        if (everyEnvironment() || environment.equals(requested)) {
            return requested;
        }
        throw new AccessDeniedException(Denial.OTHER_ENVIRONMENT);
    }
}
