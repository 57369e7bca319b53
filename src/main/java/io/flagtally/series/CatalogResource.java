package io.flagtally.series;

import io.flagtally.event.EnvironmentId;
import io.flagtally.platform.config.TimeConfig;
import io.flagtally.platform.error.Problem;
import io.flagtally.platform.security.ApiKeys;
import io.flagtally.platform.security.Caller;
import io.flagtally.platform.security.Role;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.Granularity;
import io.flagtally.rollup.TimeBucket;
import io.smallrye.mutiny.Uni;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.UriInfo;
import java.time.InstantSource;
import java.time.LocalDate;
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

/** Our own face of what has been seen. */
@Path("/v1")
@Produces(MediaType.APPLICATION_JSON)
@SecurityRequirement(name = "apiKey")
@Tag(name = "Catalog", description = "What has been seen; these faces may grow")
@APIResponse(
        responseCode = "400",
        description = "INVALID_ARGUMENT: a parameter is out of range; detail says what is allowed",
        content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
@APIResponse(responseCode = "401", description = "UNAUTHENTICATED: no key was given")
@APIResponse(responseCode = "403", description = "PERMISSION_DENIED: unknown key, low role or other environment")
@APIResponse(responseCode = "429", description = "RESOURCE_EXHAUSTED: too many different reads at once")
@APIResponse(responseCode = "503", description = "UNAVAILABLE: the counts cannot be read now")
public class CatalogResource {

    /** Environments in one answer. */
    private static final int ENVIRONMENTS_MAX = 100;

    /** Flags on a page, if nothing else is asked for. */
    private static final int FLAGS_DEFAULT = 100;

    /** Flags on a page. */
    private static final int FLAGS_MAX = 500;

    private final SeriesReads reads;
    private final LabelNames names;
    private final ApiKeys keys;
    private final InstantSource clock;
    private final BucketCalendar calendar;

    @Inject
    CatalogResource(SeriesReads reads, LabelNames names, ApiKeys keys, InstantSource clock, TimeConfig time) {
        this.reads = reads;
        this.names = names;
        this.keys = keys;
        this.clock = clock;
        this.calendar = new BucketCalendar(time.zone());
    }

    @GET
    @Path("/environments")
    @Operation(
            operationId = "environments",
            summary = "The environments seen, with their last event and totals of today",
            description = "A key of one environment sees that one; a key of every environment sees up to 100, the one"
                    + " of the last event first.")
    @APIResponse(
            responseCode = "200",
            description = "What has been seen; possibly nothing",
            content = @Content(schema = @Schema(implementation = EnvironmentsResponse.class)))
    public Uni<EnvironmentsResponse> environments(
            @Parameter(hidden = true) @RestHeader("authorization") @Nullable String key) {
        Caller caller = keys.require(key, Role.READ_ONLY, Role.ADMIN);
        EnvironmentId only = caller.everyEnvironment() ? null : new EnvironmentId(caller.environment());
        TimeBucket today = today();
        return reads.environments(new EnvironmentScope(only, ENVIRONMENTS_MAX), today)
                .chain(seen -> names.ofEnvironments(
                                seen.stream().map(SeenEnvironment::environment).toList())
                        .map(named -> EnvironmentsResponse.of(calendar.zone().getId(), dateOf(today), seen, named)));
    }

    @GET
    @Path("/flags")
    @Operation(
            operationId = "flags",
            summary = "The flags seen in an environment, with their last event and totals of today")
    @Parameter(name = "environmentId", in = ParameterIn.QUERY, description = "Empty: the environment of the key")
    @Parameter(name = "q", in = ParameterIn.QUERY, description = "Part of the flag's id or name, letter case aside")
    @Parameter(
            name = "limit",
            in = ParameterIn.QUERY,
            description = "Flags on a page, 1 to 500",
            schema = @Schema(implementation = Integer.class, minimum = "1", maximum = "500", defaultValue = "100"))
    @Parameter(name = "pageToken", in = ParameterIn.QUERY, description = "nextPageToken of the page before")
    @APIResponse(
            responseCode = "200",
            description = "A page of what has been seen; possibly empty",
            content = @Content(schema = @Schema(implementation = FlagsResponse.class)))
    public Uni<FlagsResponse> flags(
            @Parameter(hidden = true) @RestHeader("authorization") @Nullable String key, UriInfo uri) {
        QueryParameters query = QueryParameters.of(uri);
        EnvironmentId environment = Arguments.environment(keys, key, query);
        String part = Arguments.part(query, "q");
        String after = Arguments.part(query, "pageToken");
        int limit = Arguments.count(query, "limit", FLAGS_DEFAULT, FLAGS_MAX);
        TimeBucket today = today();
        return names.flagsNamed(environment, part)
                .chain(named -> reads.flags(environment, new FlagQuery(part, named, after, limit), today))
                .chain(page -> names.ofFlags(
                                environment,
                                page.flags().stream().map(SeenFlag::flag).toList())
                        .map(named ->
                                FlagsResponse.of(environment, calendar.zone().getId(), dateOf(today), page, named)));
    }

    private TimeBucket today() {
        return calendar.bucketOf(Granularity.DAY, clock.instant());
    }

    private LocalDate dateOf(TimeBucket day) {
        return calendar.localDate(day.start());
    }
}
