package io.flagtally.ingest;

import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Lets web pages of the configured origins call the doors of SDKs, and no other door. Never with credentials of the
 * browser: who calls is told by the API key.
 */
@Singleton
class SdkCors {

    private static final int PRIORITY = 200;
    private static final String ANY = "*";
    private static final String PREFLIGHT_SECONDS = "7200";
    private static final Set<String> DOORS =
            Set.of("/register_events", "/track", "/ping", "/get_evaluations", "/get_evaluation");

    private final Set<String> origins;

    @Inject
    SdkCors(IngestConfig config) {
        this.origins = Set.copyOf(config.cors().origins().orElse(List.of()));
    }

    void register(@Observes Filters filters) {
        filters.register(this::handle, PRIORITY);
    }

    void handle(RoutingContext http) {
        String origin = http.request().getHeader("origin");
        if (origin == null || !DOORS.contains(http.normalizedPath())) {
            http.next();
            return;
        }
        HttpServerResponse answer = http.response();
        String allowed = allowed(origin);
        if (!origins.contains(ANY)) {
            answer.putHeader("vary", "origin");
        }
        if (allowed != null) {
            answer.putHeader("access-control-allow-origin", allowed);
            answer.putHeader("access-control-expose-headers", "retry-after, " + EvaluationsResource.HEADER);
        }
        boolean preflight = http.request().method().equals(HttpMethod.OPTIONS)
                && http.request().getHeader("access-control-request-method") != null;
        if (preflight) {
            answerPreflight(answer, allowed != null);
        } else {
            http.next();
        }
    }

    private @Nullable String allowed(String origin) {
        if (origins.contains(ANY)) {
            return ANY;
        }
        return origins.contains(origin) ? origin : null;
    }

    private static void answerPreflight(HttpServerResponse answer, boolean allowed) {
        if (!allowed) {
            answer.setStatusCode(403).end();
            return;
        }
        answer.putHeader("access-control-allow-methods", "GET, POST")
                .putHeader("access-control-allow-headers", "authorization, content-type")
                .putHeader("access-control-max-age", PREFLIGHT_SECONDS)
                .setStatusCode(204)
                .end();
    }
}
