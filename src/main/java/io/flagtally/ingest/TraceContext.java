package io.flagtally.ingest;

import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The W3C trace context of a request, which its messages carry on. */
final class TraceContext {

    static final String HEADER = "traceparent";

    private static final Pattern FORM = Pattern.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}");

    private TraceContext() {}

    /** Returns {@code header} if it is a trace context, and nothing otherwise. */
    static Optional<String> of(@Nullable String header) {
        return Optional.ofNullable(header).filter(text -> FORM.matcher(text).matches());
    }
}
