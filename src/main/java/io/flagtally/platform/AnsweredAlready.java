package io.flagtally.platform;

import io.quarkus.logging.LoggingFilter;
import java.util.logging.Filter;
import java.util.logging.LogRecord;
import org.jspecify.annotations.Nullable;

/**
 * Keeps one false alarm out of the log: a Vert.x pool of SQL connections that could not connect has told its caller, and
 * 30 seconds later its timer tries to tell it again. An error with a stack trace for each statement of an outage would bury
 * the one sentence that says what is wrong.
 */
@LoggingFilter(name = "answered-already")
public final class AnsweredAlready implements Filter {

    private static final String POOL = "io.vertx.sqlclient.impl.pool.SqlConnectionPool";

    @Override
    public boolean isLoggable(LogRecord entry) {
        return !isOfThePool(entry.getThrown());
    }

    private static boolean isOfThePool(@Nullable Throwable thrown) {
        if (!(thrown instanceof IllegalStateException) || !"Result is already complete".equals(thrown.getMessage())) {
            return false;
        }
        for (StackTraceElement frame : thrown.getStackTrace()) {
            if (frame.getClassName().equals(POOL)) {
                return true;
            }
        }
        return false;
    }
}
