package io.flagtally.pipeline;

/** A batch was held so long that some of its events may have been written before and would not be recognised any more. */
final class WindowPassedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    WindowPassedException() {
        super("held for longer than repeats are recognised", null, false, false);
    }
}
