package io.flagtally.pipeline;

import io.flagtally.event.EnvironmentId;
import io.flagtally.pipeline.Redrive.Outcome;
import io.flagtally.pipeline.Redrive.Result;
import io.flagtally.platform.config.OfRole;
import io.flagtally.platform.config.ProcessRole;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.platform.error.UnavailableException;
import io.flagtally.platform.security.ApiKeys;
import io.flagtally.platform.security.Role;
import io.smallrye.mutiny.Uni;
import jakarta.inject.Inject;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jboss.resteasy.reactive.RestHeader;
import org.jspecify.annotations.Nullable;

/** The way back for dead letters. Calling it again changes nothing. */
@OfRole(ProcessRole.INGEST)
@Path("/v1/dead_letters/redrive")
@Produces(MediaType.APPLICATION_JSON)
@SecurityRequirement(name = "apiKey")
@Tag(name = "Dead letters")
public class RedriveResource {

    private static final int LIMIT_DEFAULT = 100;
    private static final int IDS_MAX = 500;

    @Schema(description = "Which letters to send back: `ids`, or those of `code`, or all of the environment")
    record RedriveRequest(
            @Schema(description = "Missing: the key's") @Nullable
            String environmentId,

            @Schema(description = "At most 500") @Nullable List<String> ids,

            @Nullable String code,

            @Schema(description = "Only letters behind this id, as `next` says") @Nullable
            String after,

            @Schema(description = "1 to 500; missing: 100") @Nullable
            Integer limit,

            @Schema(description = "Sends letters too of which it is no longer known whether they were counted")
            @Nullable
            Boolean force) {}

    record RedriveResponse(
            @Schema(description = "Letters that are on their way again")
            long sent,

            @Schema(description = "Letters that were not sent, or came back")
            List<Result> kept,

            @Schema(description = "`after` of the next call; null if there is nothing behind") @Nullable
            UUID next) {}

    private final DeadLetterStore store;
    private final Redrive redrive;
    private final ApiKeys keys;

    @Inject
    RedriveResource(DeadLetterStore store, Redrive redrive, ApiKeys keys) {
        this.store = store;
        this.redrive = redrive;
        this.keys = keys;
    }

    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @Operation(operationId = "redriveDeadLetters", summary = "Sends dead letters back the way events go")
    @APIResponse(responseCode = "200", description = "What became of each letter")
    @APIResponse(responseCode = "400", description = "INVALID_ARGUMENT: a field is outside its range")
    @APIResponse(responseCode = "401", description = "UNAUTHENTICATED: no key was given")
    @APIResponse(responseCode = "403", description = "PERMISSION_DENIED: unknown key or low role")
    @APIResponse(responseCode = "503", description = "UNAVAILABLE: the table cannot be read now")
    public Uni<RedriveResponse> send(
            @Parameter(hidden = true) @RestHeader("authorization") @Nullable String key,
            @Nullable RedriveRequest request) {
        var caller = keys.require(key, Role.ADMIN);
        if (request == null) {
            throw new RefusedException(
                    ErrorCode.INVALID_ARGUMENT, "The body is to be a JSON object that says which letters are meant.");
        }
        LetterQuery query = DeadLettersResource.query(
                caller.environmentFor(request.environmentId()),
                request.code(),
                request.after(),
                request.limit() == null ? LIMIT_DEFAULT : request.limit());
        boolean force = Boolean.TRUE.equals(request.force());
        Uni<RedriveResponse> answer = request.ids() == null
                ? store.list(query)
                        .chain(letters -> answered(
                                query.environment(),
                                letters.stream().map(KeptLetter::id).toList(),
                                force,
                                letters.size() < query.limit()
                                        ? Optional.empty()
                                        : Optional.of(
                                                letters.get(letters.size() - 1).id())))
                : answered(query.environment(), ids(request.ids()), force, Optional.empty());
        return answer.onFailure(StoreUnavailableException.class)
                .transform(failure -> new UnavailableException(String.valueOf(failure.getMessage()), failure));
    }

    private Uni<RedriveResponse> answered(
            EnvironmentId environment, List<UUID> ids, boolean force, Optional<UUID> next) {
        return redrive.send(environment, ids, force)
                .map(results -> new RedriveResponse(
                        results.stream()
                                .filter(each -> each.outcome() == Outcome.SENT)
                                .count(),
                        results.stream()
                                .filter(each -> each.outcome() != Outcome.SENT)
                                .toList(),
                        next.orElse(null)));
    }

    private static List<UUID> ids(List<String> given) {
        if (given.size() > IDS_MAX) {
            throw new RefusedException(
                    ErrorCode.INVALID_ARGUMENT, "'ids' names " + given.size() + " letters; it may be " + IDS_MAX + ".");
        }
        return given.stream()
                .map(id -> DeadLettersResource.id("ids", String.valueOf(id)))
                .distinct()
                .toList();
    }
}
