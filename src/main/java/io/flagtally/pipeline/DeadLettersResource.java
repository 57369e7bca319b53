package io.flagtally.pipeline;

import io.flagtally.event.EnvironmentId;
import io.flagtally.platform.config.OfRole;
import io.flagtally.platform.config.ProcessRole;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.platform.error.UnavailableException;
import io.flagtally.platform.security.ApiKeys;
import io.flagtally.platform.security.Role;
import io.smallrye.mutiny.Uni;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jboss.resteasy.reactive.RestHeader;
import org.jboss.resteasy.reactive.RestQuery;
import org.jspecify.annotations.Nullable;

/** The face of dead letters: what there is and why. For ADMIN alone, since it shows events with their users. */
@OfRole(ProcessRole.SERVE)
@Path("/v1/dead_letters")
@Produces(MediaType.APPLICATION_JSON)
@SecurityRequirement(name = "apiKey")
@Tag(name = "Dead letters", description = "Events that were put aside")
@APIResponse(responseCode = "401", description = "UNAUTHENTICATED: no key was given")
@APIResponse(responseCode = "403", description = "PERMISSION_DENIED: unknown key or low role")
@APIResponse(responseCode = "503", description = "UNAVAILABLE: the table cannot be read now")
public class DeadLettersResource {

    private static final int LIMIT_DEFAULT = 100;
    private static final int LIMIT_MAX = 500;

    @Schema(description = "A page of dead letters, in the order of their ids")
    record DeadLettersResponse(
            List<Entry> deadLetters,

            @Schema(description = "`after` of the next page; null if this is the last") @Nullable
            UUID next) {}

    @Schema(name = "DeadLetterEntry")
    record Entry(
            UUID id,
            String environmentId,

            @Schema(description = "Empty if none could be read")
            String eventId,

            ErrorCode code,
            String detail,
            String source,
            Instant acceptedAt,
            Instant putAt,

            @Schema(description = "How often it was put aside")
            int puts,

            String contentType,
            int payloadBytes,

            @Schema(description = "The event as it came, its first 16 KiB")
            String payload) {

        static Entry of(KeptLetter kept) {
            DeadLetter letter = kept.letter();
            return new Entry(
                    kept.id(),
                    letter.headers().environment().value(),
                    letter.eventId(),
                    letter.code(),
                    letter.detail(),
                    letter.headers().source().name(),
                    letter.headers().acceptedAt(),
                    letter.at(),
                    kept.puts(),
                    letter.headers().contentType(),
                    kept.payloadBytes(),
                    new String(letter.payload(), StandardCharsets.UTF_8));
        }
    }

    private final DeadLetterStore store;
    private final ApiKeys keys;

    @Inject
    DeadLettersResource(DeadLetterStore store, ApiKeys keys) {
        this.store = store;
        this.keys = keys;
    }

    @GET
    @Operation(operationId = "deadLetters", summary = "Events that were put aside, with the reason")
    @APIResponse(responseCode = "200", description = "A page of letters")
    @APIResponse(responseCode = "400", description = "INVALID_ARGUMENT: a parameter is outside its range")
    public Uni<DeadLettersResponse> list(
            @Parameter(hidden = true) @RestHeader("authorization") @Nullable String key,
            @Parameter(description = "Missing: the key's") @RestQuery @Nullable String environmentId,
            @Parameter(description = "An error code; missing: every code") @RestQuery @Nullable String code,
            @Parameter(description = "`next` of the page before") @RestQuery @Nullable String after,
            @Parameter(description = "Letters of a page, 1 to 500; missing: 100") @RestQuery @Nullable Integer limit) {
        String environment = keys.require(key, Role.ADMIN).environmentFor(environmentId);
        LetterQuery query = query(environment, code, after, limit == null ? LIMIT_DEFAULT : limit);
        return store.list(query)
                .onFailure(StoreUnavailableException.class)
                .transform(failure -> new UnavailableException(String.valueOf(failure.getMessage()), failure))
                .map(letters -> new DeadLettersResponse(
                        letters.stream().map(Entry::of).toList(),
                        letters.size() < query.limit()
                                ? null
                                : letters.get(letters.size() - 1).id()));
    }

    /** @throws RefusedException if a parameter is outside its range */
    static LetterQuery query(String environment, @Nullable String code, @Nullable String after, int limit) {
        if (limit < 1 || limit > LIMIT_MAX) {
            throw new RefusedException(
                    ErrorCode.INVALID_ARGUMENT, "'limit' is " + limit + "; it may be 1 to " + LIMIT_MAX + ".");
        }
        return new LetterQuery(
                environment(environment),
                code == null || code.isEmpty() ? Optional.empty() : Optional.of(code(code)),
                after == null || after.isEmpty() ? Optional.empty() : Optional.of(id("after", after)),
                limit);
    }

    static EnvironmentId environment(String value) {
        try {
            return new EnvironmentId(value);
        } catch (IllegalArgumentException e) {
            throw new RefusedException(ErrorCode.INVALID_ARGUMENT, "'environmentId' is no environment.");
        }
    }

    static UUID id(String parameter, String value) {
        try {
            return UUID.fromString(value);
        } catch (IllegalArgumentException e) {
            throw new RefusedException(
                    ErrorCode.INVALID_ARGUMENT, "'" + parameter + "' is no id of a dead letter, which is a UUID.");
        }
    }

    private static ErrorCode code(String value) {
        try {
            return ErrorCode.valueOf(value.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw new RefusedException(
                    ErrorCode.INVALID_ARGUMENT, "'code' is no error code; docs/reference/errors.md lists them.");
        }
    }
}
