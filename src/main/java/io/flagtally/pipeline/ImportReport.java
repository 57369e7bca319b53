package io.flagtally.pipeline;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.flagtally.platform.error.ErrorCode;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The lines of the answer to an import. */
final class ImportReport {

    private ImportReport() {}

    /** How far an import has come. */
    record Progress(long lines, long counted, long duplicates, long refused) {}

    /** A line at fault. */
    record LineError(long line, String id, ErrorCode code, String message) {}

    /**
     * The end.
     *
     * @param done false if it broke off; the same import again goes on where it stopped
     * @param refusedByCode how many lines were refused, by the reason
     * @param errorsLeftOut how many lines at fault were not named
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record End(
            boolean done,
            long lines,
            long counted,
            long duplicates,
            long refused,
            Map<ErrorCode, Long> refusedByCode,
            long errorsLeftOut,
            @Nullable String failure) {}
}
