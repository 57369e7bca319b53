package io.flagtally.series;

import io.flagtally.platform.security.ApiKeys;
import io.flagtally.platform.security.Role;
import io.smallrye.mutiny.Uni;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jboss.resteasy.reactive.RestHeader;
import org.jspecify.annotations.Nullable;

/** Our own face of what the numbers may lack. */
@Path("/v1")
@Produces(MediaType.APPLICATION_JSON)
@SecurityRequirement(name = "apiKey")
@Tag(name = "Catalog", description = "What has been seen; these faces may grow")
@APIResponse(responseCode = "401", description = "UNAUTHENTICATED: no key was given")
@APIResponse(responseCode = "403", description = "PERMISSION_DENIED: unknown key or low role")
@APIResponse(responseCode = "429", description = "RESOURCE_EXHAUSTED: too many different reads at once")
@APIResponse(responseCode = "503", description = "UNAVAILABLE: the counts cannot be read now")
public class DoubtsResource {

    private final SeriesReads reads;
    private final ApiKeys keys;

    @Inject
    DoubtsResource(SeriesReads reads, ApiKeys keys) {
        this.reads = reads;
        this.keys = keys;
    }

    @GET
    @Path("/doubts")
    @Operation(
            operationId = "doubts",
            summary = "When the store may have forgotten counts that were acknowledged",
            description = "Of the whole installation, whatever the environment of the key; at most 100.")
    @APIResponse(
            responseCode = "200",
            description = "The intervals; none in an installation whose store never forgot",
            content = @Content(schema = @Schema(implementation = DoubtsResponse.class)))
    public Uni<DoubtsResponse> doubts(@Parameter(hidden = true) @RestHeader("authorization") @Nullable String key) {
        keys.require(key, Role.READ_ONLY, Role.ADMIN);
        return reads.doubts().map(DoubtsResponse::of);
    }
}
