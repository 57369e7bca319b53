package io.flagtally.platform.redis;

/**
 * The Redis is not one that may be written to, and that never mends itself: it belongs to an installation that counts in
 * another way, or cannot do what is configured.
 */
public final class UnfitRedisException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** @param message one sentence that names the configuration key */
    public UnfitRedisException(String message) {
        super(message, null, false, false);
    }
}
