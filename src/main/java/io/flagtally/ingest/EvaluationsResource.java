package io.flagtally.ingest;

import io.flagtally.platform.RoleDoors;
import io.flagtally.platform.config.ProcessRole;
import io.flagtally.platform.config.RolesConfig;
import io.flagtally.platform.error.StatusAnswers;
import io.flagtally.platform.security.ApiKeys;
import io.flagtally.platform.security.Role;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.Json;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import jakarta.ws.rs.core.Response;
import java.time.InstantSource;
import java.util.Optional;
import org.jboss.logging.Logger;

/**
 * The doors at which SDKs ask for evaluations before they send an event. With an upstream configured they lead to it;
 * without, the answer is valid and empty, so that every evaluation of the SDK is its default value. Routes and not a
 * REST resource, for an answer is passed on as it streams in.
 */
@Singleton
public class EvaluationsResource {

    /** Says {@code empty} on an answer that was not the flag server's. */
    public static final String HEADER = "flagtally-evaluations";

    private static final Logger LOG = Logger.getLogger(EvaluationsResource.class);

    private final ApiKeys keys;
    private final RequestBody bodies;
    private final InstantSource clock;
    private final boolean answers;
    private final Optional<EvaluationsUpstream> upstream;

    @Inject
    EvaluationsResource(
            ApiKeys keys,
            RequestBody bodies,
            InstantSource clock,
            EvaluationsConfig config,
            RolesConfig roles,
            Vertx vertx) {
        this.answers = roles.all().contains(ProcessRole.INGEST);
        this.keys = keys;
        this.bodies = bodies;
        this.clock = clock;
        this.upstream = config.upstream().map(uri -> new EvaluationsUpstream(uri, config, vertx));
    }

    void routes(@Observes Router router) {
        router.post("/get_evaluations").handler(this::evaluations);
        router.post("/get_evaluation").handler(this::evaluations);
    }

    void started(@Observes StartupEvent event) {
        if (answers && upstream.isEmpty()) {
            LOG.info("Evaluations are answered empty, since flagtally.evaluations.upstream names no flag server: SDKs"
                    + " that ask here serve their default values");
        }
    }

    void stopping(@Observes ShutdownEvent event) {
        upstream.ifPresent(EvaluationsUpstream::close);
    }

    private void evaluations(RoutingContext http) {
        HttpServerRequest request = http.request();
        try {
            if (!answers) {
                throw RoleDoors.refusal(ProcessRole.INGEST);
            }
            // The flag server judges the key too, by its own lights.
            var unused = keys.require(request.getHeader("authorization"), Role.SDK_CLIENT, Role.SDK_SERVER);
        } catch (RuntimeException refusal) {
            bodies.refuse(request, refusal).subscribe().with(never -> {}, failure -> failed(request, failure));
            return;
        }
        bodies.readPacked(request).subscribe().with(body -> answer(request, body), failure -> failed(request, failure));
    }

    private void answer(HttpServerRequest request, Body body) {
        Buffer bytes = Buffer.buffer(body.length()).appendBytes(body.bytes(), 0, body.length());
        body.release();
        if (upstream.isPresent()) {
            upstream.get().pass(request, bytes);
            return;
        }
        json(request.response(), 200)
                .putHeader(HEADER, "empty")
                .end("{\"state\":\"FULL\",\"evaluations\":{\"id\":\"\",\"evaluations\":[],\"createdAt\":\""
                        + clock.instant().getEpochSecond()
                        + "\",\"forceUpdate\":true,\"archivedFeatureIds\":[]},\"userEvaluationsId\":\"\"}");
    }

    private static void failed(HttpServerRequest request, Throwable failure) {
        Response status = StatusAnswers.of(failure);
        HttpServerResponse answer = json(request.response(), status.getStatus());
        Optional.ofNullable(status.getHeaderString("retry-after"))
                .ifPresent(seconds -> answer.putHeader("retry-after", seconds));
        answer.end(Json.encode(status.getEntity()));
    }

    private static HttpServerResponse json(HttpServerResponse answer, int status) {
        return answer.setStatusCode(status).putHeader("content-type", "application/json");
    }
}
