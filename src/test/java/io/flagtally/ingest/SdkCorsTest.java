package io.flagtally.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.flagtally.testing.TestConfigs;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.ext.web.Router;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SdkCorsTest {

    private static final String PAGE = "https://shop.example";

    private final Vertx vertx = Vertx.vertx();

    @AfterEach
    void stop() throws Exception {
        vertx.close().toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    @ParameterizedTest
    @CsvSource({
        "*, *, 204",
        "https://shop.example, https://shop.example, 204",
        "'https://a.example,https://shop.example', https://shop.example, 204",
        "https://other.example, none, 403",
        "https://shop.example.evil.example, none, 403",
        "none, none, 403"
    })
    void handle_originsConfigured_decideWhoMayCall(String origins, String allowed, int preflightStatus)
            throws Exception {
        DoorClient door = door(origins);

        HttpResponse<String> call = door.send(door.request("/ping").GET().header("origin", PAGE));
        HttpResponse<String> preflight = preflight(door, "/register_events");

        assertEquals("served", call.body());
        assertEquals(allowed, header(call, "access-control-allow-origin"));
        assertEquals(preflightStatus, preflight.statusCode());
        assertEquals(allowed, header(preflight, "access-control-allow-origin"));
        assertEquals("none", header(preflight, "access-control-allow-credentials"));
        assertEquals(allowed.equals("*") ? "none" : "origin", header(call, "vary"));
    }

    @Test
    void handle_otherDoors_areNotOpened() throws Exception {
        DoorClient door = door("*");

        HttpResponse<String> preflight = preflight(door, "/v1/flags");

        assertEquals("served", preflight.body());
        assertEquals("none", header(preflight, "access-control-allow-origin"));
    }

    @Test
    void handle_callOfNoPage_isLeftAlone() throws Exception {
        assertEquals("none", header(door("*").get("/ping"), "access-control-allow-origin"));
    }

    private static HttpResponse<String> preflight(DoorClient door, String path) {
        return door.send(door.request(path)
                .method("OPTIONS", BodyPublishers.noBody())
                .header("origin", PAGE)
                .header("access-control-request-method", "POST"));
    }

    private static String header(HttpResponse<String> answer, String name) {
        return answer.headers().firstValue(name).orElse("none");
    }

    private DoorClient door(String origins) throws Exception {
        Map<String, String> keys = origins.equals("none") ? Map.of() : Map.of("flagtally.ingest.cors.origins", origins);
        SdkCors cors = new SdkCors(TestConfigs.of(IngestConfig.class, keys));
        Router router = Router.router(vertx);
        router.route().handler(cors::handle);
        router.route().handler(http -> http.response().end("served"));
        HttpServer server = vertx.createHttpServer()
                .requestHandler(router)
                .listen(0, "127.0.0.1")
                .toCompletionStage()
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);
        return new DoorClient("http://127.0.0.1:" + server.actualPort());
    }
}
