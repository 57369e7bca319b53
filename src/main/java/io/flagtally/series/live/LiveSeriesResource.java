package io.flagtally.series.live;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagId;
import io.flagtally.platform.Availability;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.Problem;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.platform.error.UnavailableException;
import io.flagtally.platform.security.AccessDeniedException;
import io.flagtally.platform.security.AccessDeniedException.Denial;
import io.flagtally.platform.security.ApiKeys;
import io.flagtally.platform.security.Caller;
import io.flagtally.platform.security.Role;
import io.flagtally.series.Arguments;
import io.flagtally.series.QueryParameters;
import io.smallrye.mutiny.Multi;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.UriInfo;
import jakarta.ws.rs.sse.OutboundSseEvent;
import jakarta.ws.rs.sse.Sse;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.ParameterIn;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/** Numbers as they happen, as server-sent events. */
@Path("/v1/live")
@SecurityRequirement(name = "apiKey")
@Tag(name = "Live", description = "Streams of server-sent events; these faces may grow")
@APIResponse(
        responseCode = "400",
        description = "INVALID_ARGUMENT: a parameter is missing or out of range; detail says what is allowed",
        content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
@APIResponse(responseCode = "401", description = "UNAUTHENTICATED: no key was given, or the ticket has ended")
@APIResponse(
        responseCode = "403",
        description = "PERMISSION_DENIED: unknown key, low role, other environment, or a ticket that nobody made")
@APIResponse(responseCode = "429", description = "RESOURCE_EXHAUSTED: too many readers or flags")
@APIResponse(responseCode = "503", description = "UNAVAILABLE: the numbers cannot be read now")
public class LiveSeriesResource {

    private static final String STREAM = "Server-sent events `snapshot`, `change` and `pulse`, the data of each JSON";

    /** Most flags that one reader watches. */
    static final int FLAGS_MAX = 100;

    private static final int TOP_DEFAULT = 10;

    @Schema(description = "Opens streams of one environment: give it as the parameter 'ticket'")
    record TicketResponse(String ticket, Instant expiresAt, String environmentId) {}

    /** Who reads, and of what. */
    private record Guest(String keyName, EnvironmentId environment) {}

    private final LiveCounts counts;
    private final LiveActiveUsers activeUsers;
    private final LiveReaders readers;
    private final LiveMessages messages;
    private final LiveTickets tickets;
    private final LiveConfig config;
    private final ApiKeys keys;
    private final Availability availability;
    private final Vertx vertx;

    @Inject
    @SuppressWarnings("TooManyParameters")
    LiveSeriesResource(
            LiveCounts counts,
            LiveActiveUsers activeUsers,
            LiveReaders readers,
            LiveMessages messages,
            LiveTickets tickets,
            LiveConfig config,
            ApiKeys keys,
            Availability availability,
            Vertx vertx) {
        this.counts = counts;
        this.activeUsers = activeUsers;
        this.readers = readers;
        this.messages = messages;
        this.tickets = tickets;
        this.config = config;
        this.keys = keys;
        this.availability = availability;
        this.vertx = vertx;
    }

    @GET
    @Path("/evaluation_counts")
    @Produces(MediaType.SERVER_SENT_EVENTS)
    @Operation(
            operationId = "liveEvaluationCounts",
            summary = "Evaluations and users of flags so far today, as they grow",
            description = "A snapshot, then what changed. Comes back where it was by Last-Event-ID, at any instance.")
    @Parameter(name = "environmentId", in = ParameterIn.QUERY, description = "Empty: the environment of the key")
    @Parameter(name = "featureId", in = ParameterIn.QUERY, description = "A flag; repeat it for more, up to 100")
    @Parameter(
            name = "top",
            in = ParameterIn.QUERY,
            description = "Without featureId: the flags with the most evaluations today, of the 1,000 evaluated last",
            schema = @Schema(implementation = Integer.class, minimum = "1", maximum = "100", defaultValue = "10"))
    @Parameter(name = "ticket", in = ParameterIn.QUERY, description = "In place of a key")
    @Parameter(name = "lastEventId", in = ParameterIn.QUERY, description = "In place of the header Last-Event-ID")
    @APIResponse(
            responseCode = "200",
            description = STREAM,
            content = @Content(mediaType = MediaType.SERVER_SENT_EVENTS, schema = @Schema(type = SchemaType.STRING)))
    public Multi<OutboundSseEvent> evaluationCounts(
            @Context HttpHeaders headers, @Context UriInfo uri, @Context RoutingContext http, @Context Sse sse) {
        QueryParameters query = QueryParameters.of(uri);
        Guest guest = guest(headers, query);
        List<FlagId> flags = flags(query);
        int top = Arguments.count(query, "top", TOP_DEFAULT, FLAGS_MAX);
        require(Availability.Work.SERVE);
        return stream(
                guest,
                headers,
                query,
                new Connection(http, sse, config.tick()),
                () -> flags.isEmpty()
                        ? counts.watchBusiest(guest.environment, top)
                        : counts.watch(guest.environment, flags));
    }

    @GET
    @Path("/active_users")
    @Produces(MediaType.SERVER_SENT_EVENTS)
    @Operation(
            operationId = "liveActiveUsers",
            summary = "Active users of today and of this month, as they grow",
            description = "A snapshot, then the same again when it has changed. Exact.")
    @Parameter(name = "environmentId", in = ParameterIn.QUERY, description = "Empty: the environment of the key")
    @Parameter(name = "ticket", in = ParameterIn.QUERY, description = "In place of a key")
    @Parameter(name = "lastEventId", in = ParameterIn.QUERY, description = "In place of the header Last-Event-ID")
    @APIResponse(
            responseCode = "200",
            description = STREAM,
            content = @Content(mediaType = MediaType.SERVER_SENT_EVENTS, schema = @Schema(type = SchemaType.STRING)))
    public Multi<OutboundSseEvent> activeUsers(
            @Context HttpHeaders headers, @Context UriInfo uri, @Context RoutingContext http, @Context Sse sse) {
        QueryParameters query = QueryParameters.of(uri);
        Guest guest = guest(headers, query);
        require(Availability.Work.SERVE_USERS);
        return stream(
                guest,
                headers,
                query,
                new Connection(http, sse, config.activeUsersTick()),
                () -> activeUsers.watch(guest.environment));
    }

    @POST
    @Path("/tickets")
    @Produces(MediaType.APPLICATION_JSON)
    @Operation(
            operationId = "liveTicket",
            summary = "A ticket for streams of one environment, for a browser's EventSource, which sends no header")
    @Parameter(name = "environmentId", in = ParameterIn.QUERY, description = "Empty: the environment of the key")
    @APIResponse(responseCode = "200", description = "Opens streams of its environment until it expires")
    public TicketResponse ticket(@Context HttpHeaders headers, @Context UriInfo uri) {
        String key = headers.getHeaderString(HttpHeaders.AUTHORIZATION);
        String environment =
                Arguments.environment(keys, key, QueryParameters.of(uri)).value();
        Caller caller = keys.require(key, Role.READ_ONLY, Role.ADMIN);
        LiveTickets.Ticket made = tickets.make(caller, environment);
        return new TicketResponse(made.text(), made.expiresAt(), environment);
    }

    private Guest guest(HttpHeaders headers, QueryParameters query) {
        String ticket = query.text("ticket");
        if (ticket.isEmpty()) {
            String key = headers.getHeaderString(HttpHeaders.AUTHORIZATION);
            EnvironmentId environment = Arguments.environment(keys, key, query);
            return new Guest(keys.require(key, Role.READ_ONLY, Role.ADMIN).keyName(), environment);
        }
        LiveTickets.Admission admission = tickets.open(ticket);
        String wanted = query.text("environmentId");
        if (!wanted.isEmpty() && !wanted.equals(admission.environment())) {
            throw new AccessDeniedException(Denial.OTHER_ENVIRONMENT);
        }
        return new Guest(admission.keyName(), new EnvironmentId(admission.environment()));
    }

    private void require(Availability.Work work) {
        Map<String, String> missing = availability.missing(work);
        if (!missing.isEmpty()) {
            throw new UnavailableException(String.join(" ", missing.values()), null);
        }
    }

    private static List<FlagId> flags(QueryParameters query) {
        List<FlagId> flags = Arguments.flags(query);
        if (flags.size() > FLAGS_MAX) {
            throw new RefusedException(
                    ErrorCode.INVALID_ARGUMENT,
                    "A reader watches at most " + FLAGS_MAX + " flags; open another stream.");
        }
        return flags;
    }

    /** The connection of a reader, and how often it is told of a change. */
    private record Connection(RoutingContext http, Sse sse, Duration tick) {}

    private Multi<OutboundSseEvent> stream(
            Guest guest, HttpHeaders headers, QueryParameters query, Connection connection, Supplier<LiveView> watch) {
        Set<Long> had = LivePart.digests(lastEventId(headers, query), FLAGS_MAX + 1);
        readers.enter(guest.keyName);
        LiveStream stream;
        try {
            LiveStream.Pace pace =
                    new LiveStream.Pace(connection.tick, config.heartbeat(), config.stallMax(), config.streamMax());
            stream = new LiveStream(
                    watch.get(),
                    messages,
                    new ReaderDoor(guest, connection.http.request()),
                    pace,
                    connection.sse,
                    vertx.getOrCreateContext(),
                    had);
        } catch (RuntimeException e) {
            readers.leave(guest.keyName);
            throw e;
        }
        readers.opened(stream);
        // Nobody subscribes to it, and so nobody cancels it, if its reader is gone before the headers are written.
        connection.http.addEndHandler(ended -> stream.cancel());
        var unused = connection
                .http
                .response()
                .putHeader(HttpHeaders.CACHE_CONTROL, "no-store")
                .putHeader("x-accel-buffering", "no");
        return stream.onceShown();
    }

    private static String lastEventId(HttpHeaders headers, QueryParameters query) {
        String header = headers.getHeaderString("last-event-id");
        return header == null ? query.text("lastEventId") : header;
    }

    private final class ReaderDoor implements LiveStream.Door {
        private final Guest guest;
        private final HttpServerRequest request;

        ReaderDoor(Guest guest, HttpServerRequest request) {
            this.guest = guest;
            this.request = request;
        }

        @Override
        public boolean allows() {
            return keys.allows(guest.keyName, guest.environment.value(), Role.READ_ONLY, Role.ADMIN);
        }

        @Override
        public void cut() {
            var unused = request.connection().close();
        }

        @Override
        public void left(LiveStream stream) {
            readers.closed(stream);
            readers.leave(guest.keyName);
        }
    }
}
