package io.flagtally.pipeline;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.IdFault;
import io.flagtally.event.UserId;
import io.flagtally.pipeline.UserEraser.Erasure;
import io.flagtally.pipeline.UserEraser.Removed;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.platform.security.ApiKeys;
import io.flagtally.platform.security.Caller;
import io.flagtally.platform.security.Role;
import io.quarkus.arc.All;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import jakarta.inject.Inject;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jboss.logging.Logger;
import org.jboss.resteasy.reactive.RestHeader;
import org.jboss.resteasy.reactive.RestPath;
import org.jboss.resteasy.reactive.RestQuery;
import org.jspecify.annotations.Nullable;

/** The door through which a person leaves. */
@Path("/v1/users")
@Produces(MediaType.APPLICATION_JSON)
@SecurityRequirement(name = "apiKey")
@Tag(name = "Privacy", description = "What is known of a person")
public class UsersResource {

    private static final Logger LOG = Logger.getLogger(UsersResource.class);

    private static final String IN_FLIGHT =
            "Events that a broker or this service holds and that are not yet written: they"
                    + " are counted as new ones when they arrive. Erase again when they are through.";

    private static final int DIGEST_BYTES = 8;

    @Schema(description = "What is gone, and what cannot be removed")
    record ErasureResponse(
            String environmentId,
            List<Removed> removed,

            @Schema(description = "What it is, and until when; a sentence each")
            List<String> remaining) {}

    private final List<UserEraser> erasers;
    private final ApiKeys keys;

    @Inject
    UsersResource(@All List<UserEraser> erasers, ApiKeys keys) {
        this.erasers = erasers;
        this.keys = keys;
    }

    @DELETE
    @Path("/{userId: .+}")
    @Operation(
            operationId = "eraseUser",
            summary = "Erases a person: rows, and dead letters, with the open sums corrected",
            description = "The same again changes nothing. A new event of the person is counted again.")
    @APIResponse(responseCode = "200", description = "Done; says what is gone and what cannot be removed")
    @APIResponse(responseCode = "400", description = "INVALID_ARGUMENT: no such id is possible")
    @APIResponse(responseCode = "401", description = "UNAUTHENTICATED: no key was given")
    @APIResponse(responseCode = "403", description = "PERMISSION_DENIED: unknown key, no ADMIN, or other environment")
    @APIResponse(
            responseCode = "503",
            description = "UNAVAILABLE: a store is away; nothing or a part is gone, so repeat it")
    public Uni<ErasureResponse> erase(
            @Parameter(hidden = true) @RestHeader("authorization") @Nullable String key,
            @RestPath String userId,
            @Parameter(description = "Empty: the environment of the key") @RestQuery @Nullable String environmentId) {
        Caller caller = keys.require(key, Role.ADMIN);
        String environment = caller.environmentFor(environmentId);
        requireId("environmentId", environment);
        requireId("userId", userId);
        return Multi.createFrom()
                .iterable(erasers)
                .onItem()
                .transformToUniAndConcatenate(
                        eraser -> eraser.erase(new EnvironmentId(environment), new UserId(userId)))
                .collect()
                .asList()
                .map(erasures -> answer(environment, erasures))
                .invoke(answer -> LOG.infof(
                        "A user of environment %s was erased by the key %s: SHA-256 of the id begins with %s, gone: %s",
                        environment, caller.keyName(), digest(userId), answer.removed))
                .onFailure()
                .invoke(failure -> LOG.warnf(
                        "A user of environment %s could not be erased for the key %s: SHA-256 of the id begins with %s: %s",
                        environment, caller.keyName(), digest(userId), failure.getMessage()));
    }

    private static ErasureResponse answer(String environment, List<Erasure> erasures) {
        return new ErasureResponse(
                environment,
                erasures.stream().flatMap(erasure -> erasure.removed().stream()).toList(),
                Stream.concat(erasures.stream().flatMap(erasure -> erasure.remaining().stream()), Stream.of(IN_FLIGHT))
                        .toList());
    }

    private static void requireId(String name, String id) {
        if (IdFault.of(id) != null) {
            throw new RefusedException(
                    ErrorCode.INVALID_ARGUMENT,
                    "'" + name + "' must have 1 to " + IdFault.ID_BYTES_MAX + " UTF-8 bytes and no control character.");
        }
    }

    private static String digest(String id) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(id.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash, 0, DIGEST_BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
