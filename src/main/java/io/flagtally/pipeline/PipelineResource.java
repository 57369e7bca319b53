package io.flagtally.pipeline;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.flagtally.pipeline.LedgerStore.Hour;
import io.flagtally.pipeline.LedgerStore.LedgerProcess;
import io.flagtally.pipeline.PipelineResponse.Broker;
import io.flagtally.pipeline.PipelineResponse.Day;
import io.flagtally.pipeline.PipelineResponse.Instance;
import io.flagtally.pipeline.PipelineResponse.Reason;
import io.flagtally.pipeline.PipelineResponse.Throughput;
import io.flagtally.platform.BrokerInUse;
import io.flagtally.platform.EventTally;
import io.flagtally.platform.config.TimeConfig;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.platform.security.ApiKeys;
import io.flagtally.platform.security.Role;
import io.smallrye.mutiny.Uni;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jboss.resteasy.reactive.RestHeader;
import org.jboss.resteasy.reactive.RestQuery;
import org.jspecify.annotations.Nullable;

/** How events come through, and whether what came in adds up with what became of it. */
@Path("/v1")
@Produces(MediaType.APPLICATION_JSON)
@SecurityRequirement(name = "apiKey")
@Tag(name = "Pipeline", description = "How the service does; these faces may grow")
@APIResponse(responseCode = "401", description = "UNAUTHENTICATED: no key was given")
@APIResponse(responseCode = "403", description = "PERMISSION_DENIED: unknown key or low role")
@APIResponse(responseCode = "503", description = "UNAVAILABLE: PostgreSQL cannot be read now")
public class PipelineResource {

    private static final int HOURS_DEFAULT = 24;
    private static final int HOURS_MAX = 168;

    /** What was accepted before the hours that are asked for may have been delivered in them. */
    private static final Duration HOURS_BEFORE = Duration.ofHours(24);

    private final LedgerStore ledger;
    private final StoreSizes sizes;
    private final BrokerInUse broker;
    private final LedgerConfig config;
    private final TimeConfig time;
    private final ApiKeys keys;
    private final InstantSource clock;
    private final ObjectMapper json;

    @Inject
    @SuppressWarnings("TooManyParameters")
    PipelineResource(
            LedgerStore ledger,
            StoreSizes sizes,
            BrokerInUse broker,
            LedgerConfig config,
            TimeConfig time,
            ApiKeys keys,
            InstantSource clock,
            ObjectMapper json) {
        this.ledger = ledger;
        this.sizes = sizes;
        this.broker = broker;
        this.config = config;
        this.time = time;
        this.keys = keys;
        this.clock = clock;
        this.json = json;
    }

    @GET
    @Path("/pipeline")
    @Operation(
            operationId = "pipeline",
            summary = "How events come through: broker, throughput, processes, reasons of refusal, sizes of the stores")
    @APIResponse(responseCode = "200", description = "As of now")
    public Uni<PipelineResponse> pipeline(@Parameter(hidden = true) @RestHeader("authorization") @Nullable String key) {
        var unused = keys.require(key, Role.READ_ONLY, Role.ADMIN);
        Instant now = clock.instant();
        Instant dayAgo = now.truncatedTo(ChronoUnit.HOURS).minus(Duration.ofHours(23));
        return ledger.processes(LedgerResponse.silentSince(now, config.flushEvery()))
                .chain(processes -> ledger.hours(dayAgo)
                        .chain(hours -> sizes.stores()
                                .map(stores -> new PipelineResponse(
                                        now,
                                        time.zone().getId(),
                                        said(),
                                        throughput(instances(processes)),
                                        instances(processes),
                                        day(hours),
                                        stores))));
    }

    @GET
    @Path("/ledger")
    @Operation(
            operationId = "ledger",
            summary = "What came in against what became of it, hour by hour, of all processes and over restarts")
    @APIResponse(responseCode = "200", description = "The hours asked for, newest first")
    public Uni<LedgerResponse> ledger(
            @Parameter(hidden = true) @RestHeader("authorization") @Nullable String key,
            @Parameter(description = "How many hours back, 1 to 168; 24 if missing") @RestQuery @Nullable
                    String hours) {
        var unused = keys.require(key, Role.READ_ONLY, Role.ADMIN);
        int back = hours == null || hours.isEmpty() ? HOURS_DEFAULT : hours(hours);
        Instant now = clock.instant();
        Instant from = now.truncatedTo(ChronoUnit.HOURS).minus(Duration.ofHours(back - 1L));
        return ledger.hours(from.minus(HOURS_BEFORE))
                .chain(found -> ledger.processes(from)
                        .chain(processes -> ledger.sinceStart()
                                .map(start -> LedgerResponse.of(
                                        now, config.flushEvery(), from, found, processes, start.orElse(null)))));
    }

    private static int hours(String text) {
        if (text.matches("[0-9]{1,3}")) {
            int hours = Integer.parseInt(text);
            if (hours >= 1 && hours <= HOURS_MAX) {
                return hours;
            }
        }
        throw new RefusedException(
                ErrorCode.INVALID_ARGUMENT, "The parameter 'hours' must be a number from 1 to " + HOURS_MAX + ".");
    }

    private @Nullable Broker said() {
        BrokerInUse.Said said = broker.said();
        return said == null
                ? null
                : new Broker(
                        said.name(),
                        said.lag().isPresent() ? said.lag().getAsLong() : null,
                        said.missing().orElse(null));
    }

    private List<Instance> instances(List<LedgerProcess> processes) {
        return processes.stream()
                .filter(process -> !process.ended())
                .map(process -> Instance.of(process, vitals(process)))
                .toList();
    }

    private JsonNode vitals(LedgerProcess process) {
        try {
            return json.readTree(process.vitals());
        } catch (JsonProcessingException e) {
            return json.nullNode();
        }
    }

    private static Throughput throughput(List<Instance> instances) {
        return new Throughput(
                instances.stream().mapToDouble(Instance::acceptedPerSecond).sum(),
                instances.stream().mapToDouble(Instance::countedPerSecond).sum());
    }

    private static Day day(List<Hour> hours) {
        return new Day(reasons(hours, EventTally.REFUSED), reasons(hours, EventTally.SET_ASIDE));
    }

    private static List<Reason> reasons(List<Hour> hours, String prefix) {
        Map<String, Long> byCode = new TreeMap<>();
        for (Hour hour : hours) {
            hour.events().forEach((entry, events) -> {
                if (entry.startsWith(prefix)) {
                    byCode.merge(entry.substring(prefix.length()), events, Long::sum);
                }
            });
        }
        return byCode.entrySet().stream()
                .map(code -> new Reason(code.getKey(), code.getValue()))
                .toList();
    }
}
