package io.flagtally.store.redis;

/** The Redis belongs to an installation that counts in another way; writing to it would spoil its numbers. */
final class ForeignInstallationException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** @param message one sentence that names the configuration key */
    ForeignInstallationException(String message) {
        super(message, null, false, false);
    }
}
