package io.flagtally.platform.error;

import org.eclipse.microprofile.openapi.annotations.media.Schema;

/**
 * An error as our own faces word it: RFC 9457.
 *
 * @param type always {@code about:blank}: {@code code} tells problems apart
 * @param title the meaning of the HTTP status
 * @param code stable; for programs
 * @param detail what was wrong, where, and what to do; for a person
 */
@Schema(description = "RFC 9457 problem details, extended by a stable code")
public record Problem(
        @Schema(examples = "about:blank") String type,
        @Schema(examples = "Bad Request") String title,
        @Schema(examples = "400") int status,

        @Schema(description = "What was wrong, where, and what to do; for a person")
        String detail,

        @Schema(description = "Keeps its name and its meaning; for programs")
        ErrorCode code) {

    /** The media type of problem answers. */
    public static final String MEDIA_TYPE = "application/problem+json";
}
