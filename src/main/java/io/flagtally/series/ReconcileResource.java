package io.flagtally.series;

import io.flagtally.event.EnvironmentId;
import io.flagtally.platform.config.TimeConfig;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.platform.error.UnavailableException;
import io.flagtally.platform.security.ApiKeys;
import io.flagtally.platform.security.Role;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.series.ReconcileConfig.Target;
import io.flagtally.series.Reconciliation.Difference;
import io.quarkus.runtime.StartupEvent;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;
import jakarta.enterprise.event.Observes;
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
import java.util.concurrent.atomic.AtomicBoolean;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.ParameterIn;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jboss.resteasy.reactive.RestHeader;
import org.jspecify.annotations.Nullable;

/** Compares this counter with another one that runs beside it, flag by flag and day by day. One comparison at a time. */
@Path("/v1/reconcile")
@Produces(MediaType.APPLICATION_JSON)
@SecurityRequirement(name = "apiKey")
@Tag(name = "Reconciliation", description = "Two counters side by side")
public class ReconcileResource {

    @Schema(description = "Every day on which the two counters differ")
    record ReconcileResponse(
            String environmentId,
            String against,
            LocalDate from,
            LocalDate to,
            int flags,

            @Schema(description = "Days of a variation that differ, those beyond the answer included")
            long different,

            List<Difference> differences) {}

    private final SeriesReads reads;
    private final ReconcileConfig config;
    private final ApiKeys keys;
    private final Vertx vertx;
    private final InstantSource clock;
    private final BucketCalendar calendar;
    private final AtomicBoolean running = new AtomicBoolean();

    @Inject
    ReconcileResource(
            SeriesReads reads,
            ReconcileConfig config,
            ApiKeys keys,
            Vertx vertx,
            InstantSource clock,
            TimeConfig time) {
        this.reads = reads;
        this.config = config;
        this.keys = keys;
        this.vertx = vertx;
        this.clock = clock;
        this.calendar = new BucketCalendar(time.zone());
    }

    /** Stops the start at an address that cannot be called. */
    void start(@Observes StartupEvent started) {
        config.targets().forEach((name, target) -> {
            String scheme = String.valueOf(target.url().getScheme());
            if (!scheme.matches("https?") || target.url().getHost() == null) {
                throw new IllegalStateException("flagtally.reconcile.targets." + name + ".url is '" + target.url()
                        + "', which is no address; give one such as https://flags-old.example.com.");
            }
        });
    }

    @GET
    @Operation(operationId = "reconcile", summary = "Every day on which this counter and another one differ")
    @Parameter(name = "environmentId", in = ParameterIn.QUERY, description = "Empty: the environment of the key")
    @Parameter(name = "from", in = ParameterIn.QUERY, required = true, description = "First local date, inclusive")
    @Parameter(name = "to", in = ParameterIn.QUERY, description = "Last local date, inclusive; today if missing")
    @Parameter(
            name = "against",
            in = ParameterIn.QUERY,
            required = true,
            description = "The URL of the other counter, as flagtally.reconcile.targets names it")
    @APIResponse(responseCode = "200", description = "The comparison; no difference is an empty list")
    @APIResponse(
            responseCode = "400",
            description =
                    "INVALID_ARGUMENT: a range that is not kept, a URL that flagtally.reconcile does not name, a counter"
                            + " of another zone, or one with too many flags")
    @APIResponse(responseCode = "401", description = "UNAUTHENTICATED: no key was given")
    @APIResponse(responseCode = "403", description = "PERMISSION_DENIED: unknown key or low role")
    @APIResponse(responseCode = "429", description = "RESOURCE_EXHAUSTED: a comparison is under way")
    @APIResponse(responseCode = "503", description = "UNAVAILABLE: one of the counters cannot be read now")
    public Uni<ReconcileResponse> compare(
            @Parameter(hidden = true) @RestHeader("authorization") @Nullable String key, UriInfo uri) {
        QueryParameters query = QueryParameters.of(uri);
        EnvironmentId environment = Arguments.environment(keys, key, query, Role.ADMIN);
        Instant now = clock.instant();
        DateRange range = DateRange.parse(query.text("from"), query.text("to"), "", calendar, now);
        Target target = target(query.text("against"));
        if (!running.compareAndSet(false, true)) {
            throw new RefusedException(ErrorCode.RESOURCE_EXHAUSTED, "A comparison is under way; call again later.");
        }
        return Uni.createFrom()
                .deferred(() -> compare(environment, range, target, now))
                .onTermination()
                .invoke(() -> running.set(false));
    }

    private Uni<ReconcileResponse> compare(EnvironmentId environment, DateRange range, Target target, Instant now) {
        OtherCounter there = new OtherCounter(vertx, target.url(), target.key(), config.callTimeout());
        return new Reconciliation(
                        new ThisCounter(reads, calendar, now), there, config.flagsMax(), config.differencesMax())
                .compare(environment, range.from(), range.to())
                .ifNoItem()
                .after(config.timeout())
                .failWith(() -> new UnavailableException(
                        "The comparison took longer than flagtally.reconcile.timeout (" + config.timeout() + ").",
                        null))
                .map(result -> new ReconcileResponse(
                        environment.value(),
                        target.url().toString(),
                        range.from(),
                        range.to(),
                        result.flags(),
                        result.different(),
                        result.differences()))
                .onTermination()
                .invoke(there::close);
    }

    /** Nothing is called that the operator did not name, so that nobody can have us call inner addresses. */
    private Target target(String against) {
        return config.targets().values().stream()
                .filter(target -> target.url().toString().equals(against))
                .findFirst()
                .orElseThrow(() -> new RefusedException(
                        ErrorCode.INVALID_ARGUMENT,
                        "'against' names no counter that flagtally.reconcile.targets lists; give its url as it stands"
                                + " there."));
    }
}
