package io.flagtally.series;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagId;
import io.flagtally.event.IdFault;
import io.flagtally.platform.config.TimeConfig;
import io.flagtally.platform.error.StatusAnswer;
import io.flagtally.platform.security.ApiKeys;
import io.flagtally.platform.security.Role;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.series.EventCounterException.Fault;
import io.smallrye.mutiny.Uni;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.UriInfo;
import java.time.InstantSource;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.ParameterIn;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jboss.resteasy.reactive.RestHeader;
import org.jboss.resteasy.reactive.RestResponse;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;
import org.jspecify.annotations.Nullable;

/** The event counter of the wire contract, for consoles ({@code /v1}) and as public API ({@code /v1/event_counter}). */
@Path("/v1")
@Produces(MediaType.APPLICATION_JSON)
@SecurityRequirement(name = "apiKey")
@Tag(
        name = "Event counter",
        description =
                "What existing consoles and scripts read. int64 is text; parameters may be written in snake_case.")
@APIResponse(responseCode = "200", description = "The counts; zeros for a flag that was never seen")
@APIResponse(
        responseCode = "400",
        description = "A parameter is missing or unknown",
        content = @Content(schema = @Schema(implementation = StatusAnswer.class)))
@APIResponse(responseCode = "401", description = "No key, or not a valid one")
@APIResponse(responseCode = "403", description = "The key's role or environment does not allow it")
@APIResponse(responseCode = "429", description = "Too many different reads at once; Retry-After says when to return")
@APIResponse(responseCode = "503", description = "The counts cannot be read now; Retry-After says when to return")
public class EventCounterResource {

    private static final String SUMMARY = "Evaluations and users of a flag, by variation, over time";
    private static final String DESCRIPTION = "Events are exact, users are estimates. Steps begin at local hours or"
            + " days of the installation's zone; the last one is the one that runs now.";

    private final SeriesReads reads;
    private final ApiKeys keys;
    private final InstantSource clock;
    private final BucketCalendar calendar;

    @Inject
    EventCounterResource(SeriesReads reads, ApiKeys keys, InstantSource clock, TimeConfig time) {
        this.reads = reads;
        this.keys = keys;
        this.clock = clock;
        this.calendar = new BucketCalendar(time.zone());
    }

    @GET
    @Path("/evaluation_timeseries_count")
    @Operation(operationId = "evaluationTimeseriesCount", summary = SUMMARY, description = DESCRIPTION)
    @Parameter(name = "featureId", in = ParameterIn.QUERY, required = true, description = "The flag")
    @Parameter(
            name = "timeRange",
            in = ParameterIn.QUERY,
            required = true,
            schema = @Schema(implementation = TimeRange.class))
    @Parameter(name = "environmentId", in = ParameterIn.QUERY, description = "Empty: the environment of the key")
    public Uni<TimeseriesCountResponse> ofConsole(
            @Parameter(hidden = true) @RestHeader("authorization") @Nullable String key, UriInfo uri) {
        return read(key, QueryParameters.of(uri));
    }

    @GET
    @Path("/event_counter/evaluation_timeseries_count")
    @Operation(operationId = "publicEvaluationTimeseriesCount", summary = SUMMARY, description = DESCRIPTION)
    @Parameter(name = "featureId", in = ParameterIn.QUERY, required = true, description = "The flag")
    @Parameter(
            name = "timeRange",
            in = ParameterIn.QUERY,
            required = true,
            schema = @Schema(implementation = TimeRange.class))
    public Uni<TimeseriesCountResponse> ofPublicApi(
            @Parameter(hidden = true) @RestHeader("authorization") @Nullable String key, UriInfo uri) {
        return read(key, QueryParameters.of(uri));
    }

    @ServerExceptionMapper
    RestResponse<StatusAnswer> answer(Throwable failure) {
        return EventCounterAnswers.of(failure);
    }

    private Uni<TimeseriesCountResponse> read(@Nullable String key, QueryParameters query) {
        String environment = keys.require(key, Role.READ_ONLY, Role.ADMIN).environmentFor(query.text("environmentId"));
        String flag = checked(query.text("featureId"), "FeatureFlagID", "feature id");
        checked(environment, "EnvironmentID", "environment id");
        TimeRange range = TimeRange.of(query.text("timeRange"))
                .orElseThrow(() -> new EventCounterException(Fault.UNKNOWN, "TimeRange", "time range is unknown"));
        return reads.series(new EnvironmentId(environment), new FlagId(flag), range.buckets(calendar, clock.instant()))
                .map(series -> TimeseriesCountResponse.of(series, range.granularity()));
    }

    private static String checked(String id, String field, String name) {
        IdFault fault = IdFault.of(id);
        if (fault == null) {
            return id;
        }
        throw fault == IdFault.EMPTY
                ? new EventCounterException(Fault.EMPTY, field, name + " is required")
                : new EventCounterException(Fault.NOT_MATCH_FORMAT, field, name + " is invalid");
    }
}
