package io.flagtally.series.report;

import org.jspecify.annotations.Nullable;

/** A webhook did not take a report. Expected, so without a stack trace. */
final class ReportRefusedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final boolean forGood;

    /** @param forGood whether the same request would be refused again */
    ReportRefusedException(String message, boolean forGood, @Nullable Throwable cause) {
        super(message, cause, false, false);
        this.forGood = forGood;
    }

    boolean forGood() {
        return forGood;
    }

    @Override
    public String toString() {
        return String.valueOf(getMessage());
    }
}
