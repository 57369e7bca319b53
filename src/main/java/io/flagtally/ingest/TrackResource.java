package io.flagtally.ingest;

import io.flagtally.codec.BucketeerCodec;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.GoalEvent;
import io.flagtally.event.SourceId;
import io.flagtally.platform.error.StatusAnswers;
import io.flagtally.platform.security.ApiKeys;
import io.flagtally.platform.security.Caller;
import io.flagtally.platform.security.Role;
import io.smallrye.mutiny.Uni;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jboss.resteasy.reactive.RestQuery;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;
import org.jspecify.annotations.Nullable;

/** The tracking pixel: a page that cannot run an SDK says by a plain GET that a user reached a goal. */
@Path("/track")
@Tag(name = "Events in")
public class TrackResource {

    private static final String DOOR = "track";

    private final ApiKeys keys;
    private final EventPublisher publisher;
    private final BucketeerCodec codec;
    private final KeyRates rates;
    private final IngestMeters meters;
    private final IngestConfig config;
    private final InstantSource clock;

    @Inject
    TrackResource(
            ApiKeys keys,
            EventPublisher publisher,
            BucketeerCodec codec,
            KeyRates rates,
            IngestMeters meters,
            IngestConfig config,
            InstantSource clock) {
        this.keys = keys;
        this.publisher = publisher;
        this.codec = codec;
        this.rates = rates;
        this.meters = meters;
        this.config = config;
        this.clock = clock;
    }

    @GET
    @Produces(MediaType.APPLICATION_JSON)
    @Operation(
            operationId = "track",
            summary = "Takes a goal event from a tracking pixel; with a timestamp, a repeat counts once")
    public Uni<Response> track(
            @RestQuery @Nullable String apikey,
            @RestQuery @Nullable String userid,
            @RestQuery @Nullable String goalid,
            @RestQuery @Nullable String tag,
            @RestQuery @Nullable String timestamp,
            @RestQuery @Nullable String value) {
        return meters.timed(DOOR, () -> take(new TrackedGoal(apikey, userid, goalid, tag, timestamp, value)));
    }

    @ServerExceptionMapper
    Response answer(Throwable failure) {
        return StatusAnswers.of(failure);
    }

    private Uni<Response> take(TrackedGoal goal) {
        Caller caller = keys.require(goal.key(), Role.SDK_CLIENT);
        Instant now = clock.instant();
        EnvironmentId environment = new EnvironmentId(caller.environmentFor(null));
        GoalEvent event =
                goal.event(environment, EventTimes.at(now, config.eventAgeMax(), config.eventAheadMax()), now);
        rates.take(caller.keyName(), 1);
        byte[] line = codec.encode(event);
        EventSlice slice = new EventSlice(line, 0, line.length, event.user());
        return publisher
                .publish(List.of(slice), environment, SourceId.WEB, Optional.empty())
                .map(done -> {
                    meters.accepted(1, now);
                    return Response.ok("{}", MediaType.APPLICATION_JSON_TYPE)
                            .header(HttpHeaders.CACHE_CONTROL, "no-store")
                            .build();
                });
    }
}
