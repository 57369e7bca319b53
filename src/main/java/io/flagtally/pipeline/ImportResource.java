package io.flagtally.pipeline;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.flagtally.codec.EventCodec;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.IdFault;
import io.flagtally.platform.EventTally;
import io.flagtally.platform.config.OfRole;
import io.flagtally.platform.config.ProcessRole;
import io.flagtally.platform.config.TimeConfig;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.platform.security.ApiKeys;
import io.flagtally.platform.security.Role;
import io.flagtally.rollup.BucketCalendar;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.arc.All;
import io.smallrye.common.annotation.Blocking;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import io.smallrye.mutiny.subscription.MultiEmitter;
import io.vertx.core.Vertx;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.zip.GZIPInputStream;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jboss.resteasy.reactive.RestHeader;
import org.jboss.resteasy.reactive.RestQuery;
import org.jspecify.annotations.Nullable;

/** The door for files of events of any age. */
@Singleton
@OfRole(ProcessRole.CONSUME)
@Path("/v1/import")
@SecurityRequirement(name = "apiKey")
@Tag(name = "Import", description = "Events of any age, from files")
public class ImportResource {

    static final String NDJSON = "application/x-ndjson";

    private final ImportConfig config;
    private final ApiKeys keys;
    private final InstantSource clock;
    private final ObjectMapper json;
    private final ImportRun.Targets targets;
    private final ImportSinks sinks;
    private final Semaphore runs;

    @Inject
    @SuppressWarnings("TooManyParameters")
    ImportResource(
            ImportConfig config,
            PipelineConfig pipeline,
            TimeConfig time,
            ApiKeys keys,
            @All List<BatchSink> sinks,
            @All List<EventCodec> codecs,
            CountedBefore before,
            Vertx vertx,
            InstantSource clock,
            ObjectMapper json,
            EventTally tally,
            MeterRegistry meters) {
        this.config = config;
        this.keys = keys;
        this.clock = clock;
        this.json = json;
        PatientRetry retry = new PatientRetry(
                (delay, task) -> vertx.setTimer(Math.max(1, delay.toMillis()), id -> task.run()),
                pipeline.retry().delayMin(),
                pipeline.retry().delayMax(),
                () -> ThreadLocalRandom.current().nextDouble());
        this.sinks = ImportSinks.of(config, pipeline, sinks);
        targets = new ImportRun.Targets(
                codecs.get(0),
                before,
                new SinkFanOut(this.sinks.recent(), retry, meters).tally(tally, false),
                new SinkFanOut(this.sinks.longTerm(), retry, meters).tally(tally, true),
                retry,
                new BucketCalendar(time.zone()));
        runs = new Semaphore(config.runsMax());
    }

    @POST
    @Blocking
    @Consumes(MediaType.WILDCARD)
    @Produces(NDJSON)
    @Operation(
            operationId = "importEvents",
            summary = "Writes the events of a file, one a line as SDKs send them, of any age",
            description = "The body may be of any length, plain or gzip. The answer is NDJSON: progress while it runs,"
                    + " then the lines at fault, then what became of all. The same file again changes nothing.")
    @APIResponse(responseCode = "200", description = "Begun; the last line of the answer says how it ended")
    @APIResponse(
            responseCode = "400",
            description = "INVALID_ARGUMENT: no environment, or no sink that takes events of any age")
    @APIResponse(responseCode = "401", description = "UNAUTHENTICATED: no key was given")
    @APIResponse(responseCode = "403", description = "PERMISSION_DENIED: unknown key, no ADMIN, or other environment")
    @APIResponse(responseCode = "429", description = "RESOURCE_EXHAUSTED: too many imports at once")
    public Multi<byte[]> importEvents(
            @Parameter(hidden = true) @RestHeader("authorization") @Nullable String key,
            @Parameter(hidden = true) @RestHeader("content-encoding") @Nullable String encoding,
            @Parameter(description = "Empty: the environment of the key") @RestQuery @Nullable String environmentId,
            InputStream body) {
        String environment = keys.require(key, Role.ADMIN).environmentFor(environmentId);
        if (IdFault.of(environment) != null) {
            throw new RefusedException(ErrorCode.INVALID_ARGUMENT, "The parameter 'environmentId' is no environment.");
        }
        sinks.requireOneOfAnyAge(config);
        if (!runs.tryAcquire()) {
            throw new RefusedException(
                    ErrorCode.RESOURCE_EXHAUSTED,
                    "There are " + config.runsMax() + " imports under way; wait for one.");
        }
        return Multi.createFrom()
                .<byte[]>emitter(emitter -> run(emitter, body, "gzip".equals(encoding), environment))
                .runSubscriptionOn(Infrastructure.getDefaultWorkerPool());
    }

    private void run(MultiEmitter<? super byte[]> emitter, InputStream body, boolean gzip, String environment) {
        ImportRun run = new ImportRun(
                targets, config, new EnvironmentId(environment), clock.instant(), line -> emitter.emit(text(line)));
        try {
            run.run(() -> gzip ? new GZIPInputStream(body) : body, emitter::isCancelled);
        } finally {
            runs.release();
            emitter.complete();
        }
    }

    private byte[] text(Object line) {
        try {
            return json.writeValueAsBytes(line);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException("a line of the report cannot be written", e);
        }
    }
}
