package io.flagtally.platform.error;

/** A call is refused for a reason that its caller can read. Expected, so without a stack trace. */
public final class RefusedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final ErrorCode code;

    /** @param detail what was wrong, where, and what to do; shown to the caller */
    public RefusedException(ErrorCode code, String detail) {
        super(detail, null, false, false);
        this.code = code;
    }

    public ErrorCode code() {
        return code;
    }

    /** What was wrong, where, and what to do. */
    public String detail() {
        return String.valueOf(getMessage());
    }
}
