package io.flagtally.store.redis;

import java.util.List;

/**
 * What a sweep did.
 *
 * @param ran false if another process was at it
 * @param scanned keys that were looked at
 * @param deleted counters past their retention that had no expiry, now gone
 * @param expiring counters within their retention that had no expiry, and have one now
 * @param malformed keys that begin like a counter but are none; left as they are
 * @param malformedSample the first of these
 */
record SweepReport(
        boolean ran, long scanned, long deleted, long expiring, long malformed, List<String> malformedSample) {

    static final int SAMPLE_MAX = 5;

    static final SweepReport SKIPPED = new SweepReport(false, 0, 0, 0, 0, List.of());

    SweepReport {
        malformedSample = List.copyOf(malformedSample);
    }

    @Override
    public String toString() {
        if (!ran) {
            return "left to another process";
        }
        return scanned + " keys looked at"
                + (deleted == 0 ? "" : ", " + deleted + " counters past their retention deleted")
                + (expiring == 0 ? "" : ", " + expiring + " given an expiry")
                + (malformed == 0
                        ? ""
                        : ", " + malformed + " left alone that only begin like a counter ("
                                + String.join(", ", malformedSample) + (malformed > SAMPLE_MAX ? ", …)" : ")"));
    }
}
