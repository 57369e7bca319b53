package io.flagtally.platform.config;

/** A part of the work that a process may do by itself. */
public enum ProcessRole {
    /** Takes events in over HTTP and hands them to the broker. */
    INGEST,
    /** Takes events from the broker and writes them, and runs the jobs. */
    CONSUME,
    /** Answers reads. */
    SERVE
}
