package io.flagtally.ingest;

import io.flagtally.codec.MalformedEventException;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.EvaluationEvent;
import io.flagtally.platform.error.StatusAnswer;
import io.flagtally.platform.error.StatusAnswers;
import io.flagtally.platform.security.ApiKeys;
import io.flagtally.platform.security.Caller;
import io.flagtally.platform.security.Role;
import io.smallrye.mutiny.Uni;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import jakarta.inject.Inject;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;
import org.jspecify.annotations.Nullable;

/** The door of events, as SDKs know it. 200 says that every event without an error in the answer is safe. */
@Path("/register_events")
@Tag(name = "Events in", description = "The doors that SDKs speak")
@SecurityRequirement(name = "apiKey")
public class RegisterEventsResource {

    /** Its name in OpenAPI. */
    static final String OPERATION = "registerEvents";

    private static final String DOOR = "register_events";

    private final ApiKeys keys;
    private final RequestBody bodies;
    private final EventPublisher publisher;
    private final Cardinality cardinality;
    private final KeyRates rates;
    private final SdkMetrics sdkMetrics;
    private final IngestMeters meters;
    private final IngestConfig config;
    private final InstantSource clock;

    @Inject
    RegisterEventsResource(
            ApiKeys keys,
            RequestBody bodies,
            EventPublisher publisher,
            Cardinality cardinality,
            KeyRates rates,
            SdkMetrics sdkMetrics,
            IngestMeters meters,
            IngestConfig config,
            InstantSource clock) {
        this.keys = keys;
        this.bodies = bodies;
        this.publisher = publisher;
        this.cardinality = cardinality;
        this.rates = rates;
        this.sdkMetrics = sdkMetrics;
        this.meters = meters;
        this.config = config;
        this.clock = clock;
    }

    @POST
    @Produces(MediaType.APPLICATION_JSON)
    @Operation(
            operationId = OPERATION,
            summary = "Takes the events of an SDK; answers what was wrong, by event id",
            description = "Plain or gzip. The same event, by its id, counts once, however often it is sent.")
    @org.eclipse.microprofile.openapi.annotations.parameters.RequestBody(
            required = true,
            content = @Content(mediaType = MediaType.APPLICATION_JSON, schema = @Schema(type = SchemaType.OBJECT)))
    @APIResponse(
            responseCode = "200",
            description = "Every event that is not among the errors is safe",
            content =
                    @Content(
                            schema = @Schema(type = SchemaType.OBJECT),
                            example = "{\"errors\":{\"<id>\":{\"retriable\":false,\"message\":\"…\"}}}"))
    @APIResponse(
            responseCode = "400",
            description = "No JSON, no events, too many, or one without an id; nothing was taken",
            content = @Content(schema = @Schema(implementation = StatusAnswer.class)))
    @APIResponse(responseCode = "401", description = "No key")
    @APIResponse(responseCode = "403", description = "The key is unknown, disabled or of another role")
    @APIResponse(responseCode = "413", description = "The body is too large")
    @APIResponse(responseCode = "429", description = "Too much at once; Retry-After says when to send it again")
    @APIResponse(responseCode = "503", description = "Not safe now; Retry-After says when to send it again")
    public Uni<Response> register(
            @HeaderParam("authorization") @Parameter(hidden = true) @Nullable String key,
            @Context HttpServerRequest request) {
        return meters.timed(DOOR, () -> admitted(key, request));
    }

    @ServerExceptionMapper
    Response answer(Throwable failure) {
        return StatusAnswers.of(failure);
    }

    private Uni<Response> admitted(@Nullable String key, HttpServerRequest request) {
        Caller caller;
        try {
            caller = keys.require(key, Role.SDK_CLIENT, Role.SDK_SERVER);
            publisher.requireAvailable();
        } catch (RuntimeException refusal) {
            return bodies.refuse(request, refusal);
        }
        EnvironmentId environment = new EnvironmentId(caller.environmentFor(null));
        return bodies.read(request).flatMap(body -> {
            try {
                return take(body, caller, environment, TraceContext.of(request.getHeader(TraceContext.HEADER)));
            } finally {
                body.release();
            }
        });
    }

    private Uni<Response> take(Body body, Caller caller, EnvironmentId environment, Optional<String> traceParent) {
        Instant now = clock.instant();
        EventTimes times = EventTimes.at(now, config.eventAgeMax(), config.eventAheadMax());
        RegisterEventsRequest request = RegisterEventsRequest.read(body, environment, times, config.eventsMax());
        rates.take(caller.keyName(), request.events());
        List<MalformedEventException> faults = new ArrayList<>(request.refused());
        List<RegisterEventsRequest.Accepted> accepted = admitted(body, request.accepted(), faults);
        Uni<Void> safe = accepted.isEmpty()
                ? Uni.createFrom().voidItem()
                : publisher.publish(
                        accepted.stream().map(each -> slice(body, each)).toList(),
                        environment,
                        request.source(),
                        traceParent);
        return safe.map(done -> {
            request.metrics().forEach(event -> sdkMetrics.record(event, request.source()));
            meters.accepted(accepted.size(), now);
            meters.refused(faults);
            meters.idsReused(accepted);
            return Response.ok(Buffer.buffer(RegisterEventsResponse.of(faults)), MediaType.APPLICATION_JSON_TYPE)
                    .build();
        });
    }

    private List<RegisterEventsRequest.Accepted> admitted(
            Body body, List<RegisterEventsRequest.Accepted> events, List<MalformedEventException> faults) {
        List<RegisterEventsRequest.Accepted> admitted = new ArrayList<>(events.size());
        for (RegisterEventsRequest.Accepted each : events) {
            try {
                publisher.requireFits(each.event().id().toString(), slice(body, each));
                if (each.event() instanceof EvaluationEvent evaluation) {
                    cardinality.admit(evaluation);
                }
                admitted.add(each);
            } catch (MalformedEventException e) {
                faults.add(e);
            }
        }
        return admitted;
    }

    private static EventSlice slice(Body body, RegisterEventsRequest.Accepted event) {
        return new EventSlice(
                body.bytes(), event.offset(), event.length(), event.event().user());
    }
}
