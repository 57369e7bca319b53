package io.flagtally.codec;

import io.flagtally.event.Reason;
import io.flagtally.event.SourceId;
import org.jspecify.annotations.Nullable;

/** The fields of one event as they stood in the JSON, judged by nobody yet: the type may come last. */
final class EventFields {

    String type = "";
    TextField feature = TextField.MISSING;
    TextField variation = TextField.MISSING;
    TextField goal = TextField.MISSING;
    TextField user = TextField.MISSING;
    /** {@code user.id}, which counts where {@code userId} is missing. */
    TextField nestedUser = TextField.MISSING;

    boolean reasonPresent;
    /** Null where {@link #reasonPresent} and no reason that we know. */
    @Nullable
    Reason reason;
    /** Null if it is no int64. */
    @Nullable
    Long timestamp = 0L;
    /** Null if it is no int64. */
    @Nullable
    Long featureVersion = 0L;
    /** NaN if it is no finite number. */
    double value;

    /** Null if the event names no SDK. */
    @Nullable
    SourceId source;

    /** The inner event of a metrics event. */
    MetricsFields metrics = new MetricsFields();

    /** The fields of what a metrics event wraps. */
    static final class MetricsFields {
        String type = "";

        @Nullable
        ApiId api = ApiId.UNKNOWN_API;

        double latencySeconds;
        double sizeBytes;
    }
}
