package io.flagtally.series;

import io.flagtally.event.EnvironmentId;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.jspecify.annotations.Nullable;

/**
 * The name by which people know something.
 *
 * @param flag the flag of a variation, and the flag itself; empty for other kinds
 * @param id what has the name
 * @param name null if it has none any more
 */
public record Label(
        EnvironmentId environment,
        Kind kind,
        String flag,
        String id,
        @Nullable String name) {

    /** What can have a name. */
    @Schema(name = "LabelKind")
    public enum Kind {
        ENVIRONMENT,
        FLAG,
        VARIATION,
        GOAL
    }
}
