package io.flagtally.series;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagId;
import io.flagtally.platform.config.TimeConfig;
import io.flagtally.platform.error.Problem;
import io.flagtally.platform.security.ApiKeys;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.Granularity;
import io.smallrye.mutiny.Uni;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.UriInfo;
import java.time.Instant;
import java.time.InstantSource;
import java.time.LocalDate;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.ParameterIn;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jboss.resteasy.reactive.RestHeader;
import org.jspecify.annotations.Nullable;

/** Our own face of the counters: any range of local dates, and how far each estimate may be off. */
@Path("/v1/evaluation_series")
@Produces(MediaType.APPLICATION_JSON)
@SecurityRequirement(name = "apiKey")
@Tag(name = "Series", description = "The counters in full; these faces may grow")
public class SeriesResource {

    private final SeriesReads reads;
    private final LabelNames names;
    private final ApiKeys keys;
    private final InstantSource clock;
    private final BucketCalendar calendar;

    @Inject
    SeriesResource(SeriesReads reads, LabelNames names, ApiKeys keys, InstantSource clock, TimeConfig time) {
        this.reads = reads;
        this.names = names;
        this.keys = keys;
        this.clock = clock;
        this.calendar = new BucketCalendar(time.zone());
    }

    @GET
    @Operation(
            operationId = "evaluationSeries",
            summary = "Evaluations and users of a flag for a range of local dates",
            description = "Days can be read for 31 days back, hours for 72 hours back. The step that runs now is the"
                    + " last. Events are exact; users are estimates, each with its standard error.")
    @Parameter(name = "featureId", in = ParameterIn.QUERY, required = true, description = "The flag")
    @Parameter(
            name = "from",
            in = ParameterIn.QUERY,
            required = true,
            description = "First local date, inclusive",
            schema = @Schema(implementation = LocalDate.class))
    @Parameter(
            name = "to",
            in = ParameterIn.QUERY,
            description = "Last local date, inclusive; today if missing",
            schema = @Schema(implementation = LocalDate.class))
    @Parameter(
            name = "granularity",
            in = ParameterIn.QUERY,
            description = "Length of a step; DAY if missing",
            schema = @Schema(implementation = Granularity.class, defaultValue = "DAY"))
    @Parameter(name = "environmentId", in = ParameterIn.QUERY, description = "Empty: the environment of the key")
    @APIResponse(
            responseCode = "200",
            description = "The counters; zeros for a flag that was never seen",
            content = @Content(schema = @Schema(implementation = FlagSeriesResponse.class)))
    @APIResponse(
            responseCode = "400",
            description = "INVALID_ARGUMENT: a parameter is missing or out of range; detail says what is allowed",
            content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
    @APIResponse(responseCode = "401", description = "UNAUTHENTICATED: no key was given")
    @APIResponse(responseCode = "403", description = "PERMISSION_DENIED: unknown key, low role or other environment")
    @APIResponse(responseCode = "429", description = "RESOURCE_EXHAUSTED: too many different reads at once")
    @APIResponse(responseCode = "503", description = "UNAVAILABLE: the counts cannot be read now")
    public Uni<FlagSeriesResponse> read(
            @Parameter(hidden = true) @RestHeader("authorization") @Nullable String key, UriInfo uri) {
        QueryParameters query = QueryParameters.of(uri);
        EnvironmentId environment = Arguments.environment(keys, key, query);
        FlagId flag = Arguments.flag(query);
        Instant now = clock.instant();
        DateRange range =
                DateRange.parse(query.text("from"), query.text("to"), query.text("granularity"), calendar, now);
        return reads.series(environment, flag, range.buckets(calendar, now))
                .chain(series -> names.ofFlags(environment, List.of(flag))
                        .map(named -> FlagSeriesResponse.of(
                                environment, flag, calendar.zone().getId(), range, series, named)));
    }
}
