package io.flagtally.ingest;

import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.time.InstantSource;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/** Tells SDKs that somebody is there. Needs no key. */
@Path("/ping")
@Tag(name = "Events in")
public class PingResource {

    /** @param time now, in Unix seconds, as text */
    public record PingResponse(String time) {}

    private final InstantSource clock;

    @Inject
    PingResource(InstantSource clock) {
        this.clock = clock;
    }

    @GET
    @Produces(MediaType.APPLICATION_JSON)
    @Operation(operationId = "ping", summary = "Answers with the time of the service")
    public PingResponse ping() {
        return new PingResponse(Long.toString(clock.instant().getEpochSecond()));
    }
}
