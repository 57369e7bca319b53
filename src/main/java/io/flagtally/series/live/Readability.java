package io.flagtally.series.live;

import io.flagtally.platform.error.UnavailableException;
import io.smallrye.mutiny.TimeoutException;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/** Whether one thing can be read, as its last read showed; the log is told when that changes. Safe for use by several threads. */
final class Readability {

    private static final Logger LOG = Logger.getLogger(Readability.class);

    private record Failed(long beganNanos, Throwable cause) {}

    private final String what;
    private volatile @Nullable Failed failed;

    /** @param what begins a sentence */
    Readability(String what) {
        this.what = what;
    }

    /** Takes how a read ended that had begun at {@code beganNanos}; not while another one is told. */
    void saw(long beganNanos, @Nullable Throwable failure) {
        boolean before = isGood();
        failed = failure == null ? null : new Failed(beganNanos, failure);
        if (failure != null && before) {
            LOG.warnf("%s cannot be read: %s", what, reason(failure));
        } else if (failure == null && !before) {
            LOG.infof("%s can be read again", what);
        }
    }

    boolean isGood() {
        return failed == null;
    }

    /** Returns why the last read failed, null if it did not or had begun before {@code nanos}. */
    @Nullable
    UnavailableException failureSince(long nanos) {
        Failed last = failed;
        if (last == null || last.beganNanos - nanos < 0) {
            return null;
        }
        return new UnavailableException(what + " cannot be read: " + reason(last.cause), last.cause);
    }

    private static String reason(Throwable failure) {
        return failure instanceof TimeoutException
                ? "their store did not answer in time"
                : String.valueOf(failure.getMessage());
    }
}
