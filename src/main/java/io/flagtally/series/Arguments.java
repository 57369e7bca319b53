package io.flagtally.series;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagId;
import io.flagtally.event.IdFault;
import io.flagtally.event.SourceId;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.platform.security.ApiKeys;
import io.flagtally.platform.security.Role;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What the parameters of our own faces mean. */
public final class Arguments {

    private Arguments() {}

    /**
     * Returns the environment that a call reads.
     *
     * @throws io.flagtally.platform.security.AccessDeniedException if it may not
     * @throws RefusedException if there cannot be such an environment
     */
    public static EnvironmentId environment(ApiKeys keys, @Nullable String key, QueryParameters query) {
        return environment(keys, key, query, Role.READ_ONLY, Role.ADMIN);
    }

    /**
     * Returns the environment that a call is about.
     *
     * @param anyOf the roles of which the caller must have one
     * @throws io.flagtally.platform.security.AccessDeniedException if it may not
     * @throws RefusedException if there cannot be such an environment
     */
    static EnvironmentId environment(ApiKeys keys, @Nullable String key, QueryParameters query, Role... anyOf) {
        String id = keys.require(key, anyOf).environmentFor(query.text("environmentId"));
        return new EnvironmentId(checked("environmentId", id));
    }

    /** @throws RefusedException if there cannot be such a flag */
    static FlagId flag(QueryParameters query) {
        return new FlagId(checked("featureId", query.text("featureId")));
    }

    /**
     * Returns the flags that are named, each once, in order; possibly none.
     *
     * @throws RefusedException if there cannot be one of them
     */
    public static List<FlagId> flags(QueryParameters query) {
        return query.texts("featureId").stream()
                .map(id -> new FlagId(checked("featureId", id)))
                .distinct()
                .toList();
    }

    /**
     * Returns the number that {@code name} gives.
     *
     * @throws RefusedException if it is not one from 1 to {@code max}
     */
    public static int count(QueryParameters query, String name, int otherwise, int max) {
        String text = query.text(name);
        if (text.isEmpty()) {
            return otherwise;
        }
        if (text.matches("[0-9]{1,9}")) {
            int count = Integer.parseInt(text);
            if (count >= 1 && count <= max) {
                return count;
            }
        }
        throw refused("The parameter '" + name + "' must be a number from 1 to " + max + ".");
    }

    /**
     * Returns part of an id, possibly empty.
     *
     * @throws RefusedException if no id can have such a part
     */
    static String part(QueryParameters query, String name) {
        String text = query.text(name);
        return text.isEmpty() ? text : checked(name, text);
    }

    /**
     * Returns the SDK that {@code sourceId} names, or null if it is missing.
     *
     * @throws RefusedException if there is no such SDK
     */
    static @Nullable SourceId source(QueryParameters query) {
        String text = query.text("sourceId");
        return text.isEmpty()
                ? null
                : sourceOf(text)
                        .orElseThrow(() -> refused("The parameter 'sourceId' is no SDK; give one such as ANDROID."));
    }

    /** Returns the SDK with this name or number. */
    static Optional<SourceId> sourceOf(String text) {
        return Stream.of(SourceId.values())
                .filter(source -> source.name().equals(text)
                        || String.valueOf(source.number()).equals(text))
                .findAny();
    }

    private static String checked(String name, String id) {
        IdFault fault = IdFault.of(id);
        if (fault == null) {
            return id;
        }
        throw refused(
                switch (fault) {
                    case EMPTY -> "The parameter '" + name + "' is missing.";
                    case TOO_LONG ->
                        "The parameter '" + name + "' has more than " + IdFault.ID_BYTES_MAX + " UTF-8 bytes.";
                    case INVALID -> "The parameter '" + name + "' holds a control character.";
                });
    }

    private static RefusedException refused(String detail) {
        return new RefusedException(ErrorCode.INVALID_ARGUMENT, detail);
    }
}
