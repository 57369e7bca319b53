package io.flagtally.platform;

import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;

/**
 * What a browser is told about the console: it runs only what this service serves, shows itself in no frame, and asks
 * whether a file has changed before it uses one that it has.
 */
@Singleton
class ConsoleHeaders {

    private static final int PRIORITY = 190;
    private static final String POLICY =
            "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    void register(@Observes Filters filters) {
        filters.register(ConsoleHeaders::handle, PRIORITY);
    }

    private static void handle(RoutingContext http) {
        String path = http.normalizedPath();
        if (path.equals("/") || path.equals("/index.html") || path.startsWith("/console/")) {
            HttpServerResponse answer = http.response();
            answer.putHeader("content-security-policy", POLICY);
            answer.putHeader("x-content-type-options", "nosniff");
            answer.putHeader("referrer-policy", "no-referrer");
            http.addHeadersEndHandler(unused -> answer.putHeader("cache-control", "no-cache"));
        }
        http.next();
    }
}
