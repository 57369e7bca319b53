package io.flagtally.series;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.SourceId;
import io.flagtally.platform.config.TimeConfig;
import io.flagtally.platform.error.Problem;
import io.flagtally.platform.security.ApiKeys;
import io.flagtally.rollup.BucketCalendar;
import io.smallrye.mutiny.Uni;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.UriInfo;
import java.time.InstantSource;
import java.util.function.Function;
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
import org.jspecify.annotations.Nullable;

/** Our own face of active users: by day, week, month, or over the last 28 or 30 days. */
@Path("/v1/active_users")
@SecurityRequirement(name = "apiKey")
@Tag(name = "Active users", description = "Who was active, exact; these faces may grow")
@APIResponse(
        responseCode = "400",
        description = "INVALID_ARGUMENT: a parameter is missing or out of range; detail says what is allowed",
        content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
@APIResponse(responseCode = "401", description = "UNAUTHENTICATED: no key was given")
@APIResponse(responseCode = "403", description = "PERMISSION_DENIED: unknown key, low role or other environment")
@APIResponse(responseCode = "429", description = "RESOURCE_EXHAUSTED: too many different reads at once")
@APIResponse(responseCode = "503", description = "UNAVAILABLE: the users cannot be read now")
public class ActiveUsersResource {

    /** The media type of the answer as a table; who takes anything gets JSON. */
    static final String CSV = "text/csv;qs=0.5";

    private static final String SUMMARY = "Active users and events, by day, week or month, or over rolling days";
    private static final String DESCRIPTION = "Exact, by the time of the events in the installation's zone. The totals"
            + " count a user of two SDKs once; the breakdown by SDK stands beside them.";

    private final ActiveUsersReads reads;
    private final ApiKeys keys;
    private final InstantSource clock;
    private final BucketCalendar calendar;

    @Inject
    ActiveUsersResource(ActiveUsersReads reads, ApiKeys keys, InstantSource clock, TimeConfig time) {
        this.reads = reads;
        this.keys = keys;
        this.clock = clock;
        this.calendar = new BucketCalendar(time.zone());
    }

    @GET
    @Produces(MediaType.APPLICATION_JSON)
    @Operation(operationId = "activeUsers", summary = SUMMARY, description = DESCRIPTION)
    @Parameter(name = "environmentId", in = ParameterIn.QUERY, description = "Empty: the environment of the key")
    @Parameter(
            name = "from",
            in = ParameterIn.QUERY,
            required = true,
            description = "First local date or month, inclusive",
            schema = @Schema(implementation = String.class, examples = "2026-11"))
    @Parameter(
            name = "to",
            in = ParameterIn.QUERY,
            description = "Last local date or month, inclusive; today if missing",
            schema = @Schema(implementation = String.class, examples = "2026-11-21"))
    @Parameter(
            name = "granularity",
            in = ParameterIn.QUERY,
            description = "MONTH if missing. ROLLING_28 and ROLLING_30: the days that end with each date",
            schema = @Schema(implementation = ActivityRange.Step.class, defaultValue = "MONTH"))
    @Parameter(
            name = "sourceId",
            in = ParameterIn.QUERY,
            description = "Only this SDK; all of them if missing",
            schema = @Schema(implementation = SourceId.class))
    @APIResponse(
            responseCode = "200",
            description = "The users; zeros where nobody was active",
            content = @Content(schema = @Schema(implementation = ActiveUsersResponse.class)))
    public Uni<RestResponse<ActiveUsersResponse>> json(
            @Parameter(hidden = true) @RestHeader("authorization") @Nullable String key, UriInfo uri) {
        return read(key, QueryParameters.of(uri), Function.identity());
    }

    @GET
    @Produces(CSV)
    @Operation(operationId = "activeUsersTable", summary = SUMMARY, description = DESCRIPTION)
    public Uni<RestResponse<String>> csv(
            @Parameter(hidden = true) @RestHeader("authorization") @Nullable String key, UriInfo uri) {
        return read(key, QueryParameters.of(uri), ActiveUsersResponse::csv);
    }

    private <T> Uni<RestResponse<T>> read(
            @Nullable String key, QueryParameters query, Function<ActiveUsersResponse, T> worded) {
        EnvironmentId environment = Arguments.environment(keys, key, query);
        SourceId source = Arguments.source(query);
        ActivityRange range = ActivityRange.parse(
                query.text("from"), query.text("to"), query.text("granularity"), calendar.localDate(clock.instant()));
        return reads.steps(environment, range, source)
                .map(reading -> ActiveUsersReads.answer(
                        worded.apply(ActiveUsersResponse.of(
                                environment, calendar.zone().getId(), range, source, reading)),
                        reading));
    }
}
