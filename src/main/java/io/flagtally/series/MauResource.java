package io.flagtally.series;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.IdFault;
import io.flagtally.event.SourceId;
import io.flagtally.platform.config.TimeConfig;
import io.flagtally.platform.error.StatusAnswer;
import io.flagtally.platform.security.ApiKeys;
import io.flagtally.platform.security.Caller;
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
import java.time.YearMonth;
import java.util.List;
import java.util.stream.Stream;
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

/** Monthly active users of the wire contract. */
@Path("/v1")
@Produces(MediaType.APPLICATION_JSON)
@SecurityRequirement(name = "apiKey")
@Tag(name = "Event counter")
@APIResponse(
        responseCode = "400",
        description = "A parameter is missing or malformed",
        content = @Content(schema = @Schema(implementation = StatusAnswer.class)))
@APIResponse(responseCode = "401", description = "No key, or not a valid one")
@APIResponse(responseCode = "403", description = "The key's role or environment does not allow it")
@APIResponse(responseCode = "429", description = "Too many different reads at once; Retry-After says when to return")
@APIResponse(responseCode = "503", description = "The users cannot be read now; Retry-After says when to return")
public class MauResource {

    private static final String SUMMARY = "Active users and events of a month";

    /** How far back a summary goes. */
    private static final int MONTHS_BACK_MAX = 240;

    /** Environments in one summary. */
    private static final int ENVIRONMENTS_MAX = 100;

    private final ActiveUsersReads reads;
    private final LabelNames names;
    private final ApiKeys keys;
    private final InstantSource clock;
    private final BucketCalendar calendar;

    @Inject
    MauResource(ActiveUsersReads reads, LabelNames names, ApiKeys keys, InstantSource clock, TimeConfig time) {
        this.reads = reads;
        this.names = names;
        this.keys = keys;
        this.clock = clock;
        this.calendar = new BucketCalendar(time.zone());
    }

    @GET
    @Path("/mau_count")
    @Operation(operationId = "mauCount", summary = SUMMARY)
    @Parameter(name = "yearMonth", in = ParameterIn.QUERY, required = true, description = "Such as 202611")
    @Parameter(name = "environmentId", in = ParameterIn.QUERY, description = "Empty: the environment of the key")
    @APIResponse(responseCode = "200", description = "Users and events of the month")
    public Uni<RestResponse<MauCountResponse>> ofConsole(
            @Parameter(hidden = true) @RestHeader("authorization") @Nullable String key, UriInfo uri) {
        return count(key, QueryParameters.of(uri));
    }

    @GET
    @Path("/event_counter/mau_count")
    @Operation(operationId = "publicMauCount", summary = SUMMARY)
    @Parameter(name = "yearMonth", in = ParameterIn.QUERY, required = true, description = "Such as 202611")
    @APIResponse(responseCode = "200", description = "Users and events of the month")
    public Uni<RestResponse<MauCountResponse>> ofPublicApi(
            @Parameter(hidden = true) @RestHeader("authorization") @Nullable String key, UriInfo uri) {
        return count(key, QueryParameters.of(uri));
    }

    @GET
    @Path("/insights/monthly_summary")
    @Operation(operationId = "monthlySummary", summary = "Active users and events of all months, by SDK")
    @Parameter(
            name = "environmentIds",
            in = ParameterIn.QUERY,
            description = "Repeat the key for several; none: the environment of the key")
    @Parameter(name = "sourceIds", in = ParameterIn.QUERY, description = "SDKs such as ANDROID; none: those seen")
    @APIResponse(responseCode = "200", description = "All months, by SDK")
    public Uni<RestResponse<MonthlySummaryResponse>> summary(
            @Parameter(hidden = true) @RestHeader("authorization") @Nullable String key, UriInfo uri) {
        QueryParameters query = QueryParameters.of(uri);
        Caller caller = keys.require(key, Role.READ_ONLY, Role.ADMIN);
        List<String> asked = query.texts("environmentIds");
        List<EnvironmentId> environments = (asked.isEmpty() ? Stream.of("") : asked.stream())
                .map(caller::environmentFor)
                .map(MauResource::environment)
                .distinct()
                .toList();
        if (environments.size() > ENVIRONMENTS_MAX) {
            throw new EventCounterException(
                    Fault.NOT_MATCH_FORMAT,
                    "EnvironmentIDs",
                    "there are more than " + ENVIRONMENTS_MAX + " environments");
        }
        List<SourceId> sources = query.texts("sourceIds").stream()
                .map(MauResource::source)
                .distinct()
                .toList();
        YearMonth last = YearMonth.from(calendar.localDate(clock.instant())).plusMonths(1);
        return reads.months(environments, last.minusMonths(MONTHS_BACK_MAX), last)
                .chain(months -> names.ofEnvironments(environments)
                        .map(named -> ActiveUsersReads.answer(
                                MonthlySummaryResponse.of(environments, sources, months.activity(), named), months)));
    }

    @ServerExceptionMapper
    RestResponse<StatusAnswer> answer(Throwable failure) {
        return EventCounterAnswers.of(failure);
    }

    private Uni<RestResponse<MauCountResponse>> count(@Nullable String key, QueryParameters query) {
        EnvironmentId environment =
                environment(keys.require(key, Role.READ_ONLY, Role.ADMIN).environmentFor(query.text("environmentId")));
        YearMonth month = month(query.text("yearMonth"));
        return reads.months(List.of(environment), month, month)
                .map(reading -> ActiveUsersReads.answer(MauCountResponse.of(reading.activity()), reading));
    }

    private static YearMonth month(String text) {
        if (text.isEmpty()) {
            throw new EventCounterException(Fault.EMPTY, "YearMonth", "year month is required");
        }
        if (!text.matches("[0-9]{4}(0[1-9]|1[0-2])")) {
            throw new EventCounterException(Fault.NOT_MATCH_FORMAT, "YearMonth", "year month is invalid");
        }
        return YearMonth.of(Integer.parseInt(text.substring(0, 4)), Integer.parseInt(text.substring(4)));
    }

    private static EnvironmentId environment(String id) {
        if (IdFault.of(id) != null) {
            throw new EventCounterException(Fault.NOT_MATCH_FORMAT, "EnvironmentID", "environment id is invalid");
        }
        return new EnvironmentId(id);
    }

    private static SourceId source(String text) {
        return Arguments.sourceOf(text)
                .orElseThrow(() -> new EventCounterException(Fault.UNKNOWN, "SourceID", "source id is unknown"));
    }
}
