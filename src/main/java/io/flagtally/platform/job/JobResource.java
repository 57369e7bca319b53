package io.flagtally.platform.job;

import io.flagtally.platform.config.OfRole;
import io.flagtally.platform.config.ProcessRole;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.platform.security.ApiKeys;
import io.flagtally.platform.security.Role;
import io.smallrye.mutiny.Uni;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jboss.resteasy.reactive.RestHeader;
import org.jboss.resteasy.reactive.RestPath;
import org.jspecify.annotations.Nullable;

/** The face of jobs: what there is, how it went, and a way to start one. */
@OfRole(ProcessRole.CONSUME)
@Path("/v1/batch/jobs")
@Produces(MediaType.APPLICATION_JSON)
@SecurityRequirement(name = "apiKey")
@Tag(name = "Jobs", description = "Work that runs now and then")
@APIResponse(responseCode = "401", description = "UNAUTHENTICATED: no key was given")
@APIResponse(responseCode = "403", description = "PERMISSION_DENIED: unknown key or low role")
@APIResponse(responseCode = "503", description = "UNAVAILABLE: the runs cannot be read or written now")
public class JobResource {

    @Schema(description = "All jobs, by name")
    record JobsResponse(List<JobEntry> jobs) {}

    record JobEntry(
            String name,

            @Schema(description = "How often it runs; null for on demand only", examples = "PT1H") @Nullable
            String every,

            @Schema(description = "Null if it never ran") @Nullable
            RunEntry lastRun) {}

    @Schema(name = "JobRunEntry")
    record RunEntry(
            Instant startedAt,

            @Schema(description = "Null while it runs") @Nullable
            Instant finishedAt,

            @Nullable Long durationMillis,
            JobRun.Outcome outcome,

            @Schema(description = "What was done, or why it failed")
            String detail) {

        static RunEntry of(JobRun run) {
            Instant finished = run.finishedAt();
            Long millis = finished == null
                    ? null
                    : Duration.between(run.startedAt(), finished).toMillis();
            return new RunEntry(run.startedAt(), finished, millis, run.outcome(), run.detail());
        }
    }

    private final Jobs jobs;
    private final JobLedger ledger;
    private final ApiKeys keys;
    private final InstantSource clock;

    @Inject
    JobResource(Jobs jobs, JobLedger ledger, ApiKeys keys, InstantSource clock) {
        this.jobs = jobs;
        this.ledger = ledger;
        this.keys = keys;
        this.clock = clock;
    }

    @GET
    @Operation(operationId = "jobs", summary = "All jobs of the service, with their last run")
    @APIResponse(responseCode = "200", description = "By name")
    public Uni<JobsResponse> list(@Parameter(hidden = true) @RestHeader("authorization") @Nullable String key) {
        var unused = keys.require(key, Role.READ_ONLY, Role.ADMIN);
        return ledger.last().map(runs -> {
            Map<String, JobRun> byJob = runs.stream().collect(Collectors.toMap(JobRun::job, Function.identity()));
            return new JobsResponse(jobs.all().stream()
                    .map(job -> entry(job, byJob.get(job.name())))
                    .toList());
        });
    }

    @POST
    @Path("/{name}")
    @Operation(operationId = "runJob", summary = "Runs a job now, and answers when it is done")
    @APIResponse(responseCode = "200", description = "It was run well")
    @APIResponse(responseCode = "404", description = "NOT_FOUND: there is no such job")
    @APIResponse(responseCode = "429", description = "RESOURCE_EXHAUSTED: it is running already")
    @APIResponse(responseCode = "502", description = "JOB_FAILED: detail says why")
    public Uni<RunEntry> run(
            @Parameter(hidden = true) @RestHeader("authorization") @Nullable String key, @RestPath String name) {
        var unused = keys.require(key, Role.ADMIN);
        Job job = jobs.named(name);
        if (job == null) {
            throw new RefusedException(
                    ErrorCode.NOT_FOUND,
                    "There is no job '" + name + "', only " + String.join(", ", jobs.names()) + ".");
        }
        return ledger.runOnce(job, "on demand " + clock.instant()).map(run -> {
            JobRun done = run.orElseThrow(() ->
                    new RefusedException(ErrorCode.RESOURCE_EXHAUSTED, "The job " + name + " is running already."));
            if (done.outcome() == JobRun.Outcome.FAILED) {
                throw new RefusedException(ErrorCode.JOB_FAILED, "The job " + name + " failed: " + done.detail());
            }
            return RunEntry.of(done);
        });
    }

    private static JobEntry entry(Job job, @Nullable JobRun last) {
        return new JobEntry(
                job.name(), job.every().map(Object::toString).orElse(null), last == null ? null : RunEntry.of(last));
    }
}
