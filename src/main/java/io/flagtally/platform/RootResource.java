package io.flagtally.platform;

import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Response;
import java.net.URI;
import org.eclipse.microprofile.openapi.annotations.Operation;

/** The address a person opens first: it leads to the Swagger UI. */
@Path("/")
public final class RootResource {

    private static final URI SWAGGER_UI = URI.create("/swagger-ui/");

    @GET
    @Operation(hidden = true)
    public Response open() {
        return Response.temporaryRedirect(SWAGGER_UI).build();
    }
}
