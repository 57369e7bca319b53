package io.flagtally.series;

import java.time.Instant;

/**
 * A time in which the store may have forgotten counts that were acknowledged.
 *
 * @param from the last write known to be safe
 * @param to the first write after the store was found changed
 * @param process the process that found it, and whose writes {@code from} and {@code to} are
 * @param detail one sentence for a person
 */
public record Doubt(Cause cause, Instant from, Instant to, String process, String detail) {

    /** What was found. */
    public enum Cause {
        /** Writes that were acknowledged are gone: the commit marker went back. */
        MARKER_WENT_BACK("marker-went-back"),
        /** Everything is gone: the store was emptied. */
        INSTALLATION_LOST("installation-lost"),
        /** Another server, or the same one after a new start, is in its place. */
        SERVER_CHANGED("server-changed"),
        /** Keys were dropped for want of memory. */
        EVICTED("evicted");

        private final String label;

        Cause(String label) {
            this.label = label;
        }

        /** The name in answers and metrics. */
        public String label() {
            return label;
        }
    }
}
