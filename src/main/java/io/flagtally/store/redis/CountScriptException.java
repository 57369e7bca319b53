package io.flagtally.store.redis;

/** The script failed for a reason that is neither the server's state nor a counter's: what it was given, or itself. */
final class CountScriptException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    CountScriptException(String reply) {
        super("Redis could not run the counting script: " + reply);
    }
}
