package io.flagtally.series;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.flagtally.event.EnvironmentId;
import io.flagtally.platform.error.Problem;
import io.flagtally.platform.security.ApiKeys;
import io.flagtally.platform.security.Role;
import io.smallrye.common.annotation.Blocking;
import io.smallrye.mutiny.Uni;
import jakarta.inject.Inject;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.PUT;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.UriInfo;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.ParameterIn;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jboss.resteasy.reactive.RestHeader;
import org.jspecify.annotations.Nullable;

/** Our own face of names: what people call environments, flags, variations and goals. */
@Path("/v1/labels")
@Produces(MediaType.APPLICATION_JSON)
@SecurityRequirement(name = "apiKey")
@Tag(name = "Labels", description = "The names of things; these faces may grow")
@APIResponse(
        responseCode = "400",
        description = "MALFORMED, INVALID_ARGUMENT: detail names the entry, and says what is allowed",
        content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
@APIResponse(responseCode = "401", description = "UNAUTHENTICATED: no key was given")
@APIResponse(responseCode = "403", description = "PERMISSION_DENIED: unknown key, low role or other environment")
@APIResponse(responseCode = "503", description = "UNAVAILABLE: the names cannot be read or written now")
public class LabelsResource {

    /** Labels on a page, if nothing else is asked for. */
    private static final int LABELS_DEFAULT = 100;

    /** Labels on a page. */
    private static final int LABELS_MAX = 500;

    private final LabelStore store;
    private final ApiKeys keys;
    private final ObjectMapper json;

    @Inject
    LabelsResource(LabelStore store, ApiKeys keys, ObjectMapper json) {
        this.store = store;
        this.keys = keys;
        this.json = json;
    }

    @GET
    @Operation(operationId = "labels", summary = "The names given in an environment")
    @Parameter(name = "environmentId", in = ParameterIn.QUERY, description = "Empty: the environment of the key")
    @Parameter(
            name = "limit",
            in = ParameterIn.QUERY,
            description = "Labels on a page, 1 to 500",
            schema = @Schema(implementation = Integer.class, minimum = "1", maximum = "500", defaultValue = "100"))
    @Parameter(name = "pageToken", in = ParameterIn.QUERY, description = "nextPageToken of the page before")
    @APIResponse(
            responseCode = "200",
            description = "A page of names; possibly empty",
            content = @Content(schema = @Schema(implementation = LabelsResponse.class)))
    public Uni<LabelsResponse> read(
            @Parameter(hidden = true) @RestHeader("authorization") @Nullable String key, UriInfo uri) {
        QueryParameters query = QueryParameters.of(uri);
        EnvironmentId environment = Arguments.environment(keys, key, query);
        Label after = LabelPageToken.parse(environment, query.text("pageToken"));
        int limit = Arguments.count(query, "limit", LABELS_DEFAULT, LABELS_MAX);
        return store.read(new LabelQuery(environment, after, limit + 1))
                .map(labels -> LabelsResponse.of(environment, labels, limit));
    }

    @PUT
    @Blocking
    @Consumes(MediaType.APPLICATION_JSON)
    @Operation(
            operationId = "putLabels",
            summary = "Names environments, flags, variations and goals, or takes names away",
            description = "All of the labels are written, or none. Names that are not mentioned stay. The same again"
                    + " changes nothing.")
    @Parameter(name = "environmentId", in = ParameterIn.QUERY, description = "Empty: the environment of the key")
    @RequestBody(content = @Content(schema = @Schema(implementation = LabelsRequest.class)))
    @APIResponse(responseCode = "204", description = "Written")
    @APIResponse(responseCode = "413", description = "TOO_LARGE: the body is over 4 MiB")
    public Uni<Void> write(
            @Parameter(hidden = true) @RestHeader("authorization") @Nullable String key, UriInfo uri, InputStream body)
            throws IOException {
        EnvironmentId environment = Arguments.environment(keys, key, QueryParameters.of(uri), Role.ADMIN);
        List<Label> labels = LabelsRequest.read(body, json).labels(environment);
        return store.write(labels);
    }
}
