package io.flagtally.platform.security;

/** A call is not let in. Expected, so without a stack trace. */
public final class AccessDeniedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** Why. */
    public enum Denial {
        MISSING_KEY,
        INVALID_KEY,
        DISABLED_KEY,
        BAD_ROLE,
        OTHER_ENVIRONMENT
    }

    private final Denial denial;

    public AccessDeniedException(Denial denial) {
        super(denial.name(), null, false, false);
        this.denial = denial;
    }

    public Denial denial() {
        return denial;
    }
}
