package io.flagtally.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.testing.TestConfigs;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerRequest;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A flag server stands behind; both ends of the way are real HTTP. */
class EvaluationsUpstreamTest {

    private static final int ANSWER_BYTES_MAX = 4 * 1024 * 1024;

    private final Vertx vertx = Vertx.vertx();

    @AfterEach
    void stop() throws Exception {
        await(vertx.close().toCompletionStage());
    }

    @Test
    void pass_call_goesOnAsItCameAndComesBackAsItIs() throws Exception {
        DoorClient door = doorTo(request -> request.bodyHandler(body -> request.response()
                .putHeader(
                        "x-seen",
                        request.method() + " " + request.uri() + " " + request.getHeader("authorization") + " "
                                + request.getHeader("x-hop") + " " + request.getHeader("content-type"))
                .putHeader("keep-alive", "timeout=7")
                .putHeader("access-control-allow-origin", "https://other.example")
                .end("seen " + body)));

        HttpResponse<String> answer = door.send(door.post("/get_evaluations?x=1", BodyPublishers.ofString("{\"a\":1}"))
                .header("authorization", "key")
                .header("x-hop", "by-hop"));

        assertEquals(200, answer.statusCode());
        assertEquals("seen {\"a\":1}", answer.body());
        assertEquals(
                "POST /base/get_evaluations?x=1 key by-hop application/json",
                answer.headers().firstValue("x-seen").orElse(""));
        assertFalse(answer.headers().map().containsKey("keep-alive"));
        assertFalse(answer.headers().map().containsKey("access-control-allow-origin"));
    }

    @Test
    void pass_errorOfTheFlagServer_isUnchanged() throws Exception {
        DoorClient door = doorTo(request -> request.response()
                .setStatusCode(418)
                .putHeader("retry-after", "7")
                .end("{\"code\":99}"));

        HttpResponse<String> answer = door.send(door.post("/get_evaluation", BodyPublishers.ofString("{}")));

        assertEquals(418, answer.statusCode());
        assertEquals("7", answer.headers().firstValue("retry-after").orElse(""));
        assertEquals("{\"code\":99}", answer.body());
    }

    @Test
    void pass_largeAnswer_streamsThroughUpToTheBound() throws Exception {
        String large = "x".repeat(ANSWER_BYTES_MAX);
        DoorClient door = doorTo(request -> request.response().end(large));

        assertEquals(
                large,
                door.send(door.post("/get_evaluation", BodyPublishers.ofString("{}")))
                        .body());
    }

    @Test
    void pass_answerBeyondTheBound_isCutOffAndNeverLooksWhole() throws Exception {
        DoorClient door = doorTo(request -> request.response().setChunked(true).end("x".repeat(ANSWER_BYTES_MAX + 1)));

        assertThrows(
                UncheckedIOException.class,
                () -> door.send(door.post("/get_evaluation", BodyPublishers.ofString("{}"))));
    }

    @Test
    void pass_flagServerSilent_isAGatewayTimeout() throws Exception {
        DoorClient door = doorTo(request -> {});

        HttpResponse<String> answer = door.send(door.post("/get_evaluation", BodyPublishers.ofString("{}")));

        assertEquals(504, answer.statusCode());
        assertTrue(answer.body().startsWith("{\"code\":4,\"message\":\"gateway: "), answer.body());
    }

    @Test
    void pass_flagServerAway_isABadGateway() throws Exception {
        int free;
        try (ServerSocket socket = new ServerSocket(0)) {
            free = socket.getLocalPort();
        }
        DoorClient door = door(URI.create("http://127.0.0.1:" + free));

        HttpResponse<String> answer = door.send(door.post("/get_evaluation", BodyPublishers.ofString("{}")));

        assertEquals(502, answer.statusCode());
        assertTrue(answer.body().startsWith("{\"code\":14,\"message\":\"gateway: "), answer.body());
    }

    private DoorClient doorTo(Handler<HttpServerRequest> flagServer) throws Exception {
        return door(URI.create("http://127.0.0.1:" + listen(flagServer) + "/base/"));
    }

    private DoorClient door(URI upstream) throws Exception {
        EvaluationsConfig config = TestConfigs.of(
                EvaluationsConfig.class,
                Map.of(
                        "flagtally.evaluations.timeout",
                        "1s",
                        "flagtally.evaluations.answer-bytes-max",
                        String.valueOf(ANSWER_BYTES_MAX)));
        EvaluationsUpstream passing = new EvaluationsUpstream(upstream, config, vertx);
        int port = listen(request -> request.bodyHandler(body -> passing.pass(request, body)));
        return new DoorClient("http://127.0.0.1:" + port);
    }

    private int listen(Handler<HttpServerRequest> handler) throws Exception {
        HttpServer server = await(vertx.createHttpServer()
                .requestHandler(handler)
                .listen(0, "127.0.0.1")
                .toCompletionStage());
        return server.actualPort();
    }

    private static <T> T await(CompletionStage<T> stage) throws Exception {
        return stage.toCompletableFuture().get(10, java.util.concurrent.TimeUnit.SECONDS);
    }
}
