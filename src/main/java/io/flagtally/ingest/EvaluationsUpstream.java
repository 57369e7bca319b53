package io.flagtally.ingest;

import io.flagtally.platform.error.StatusAnswer;
import io.netty.channel.ConnectTimeoutException;
import io.vertx.core.MultiMap;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.ConnectionPoolTooBusyException;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.json.Json;
import java.net.URI;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The user's own flag server. A call is passed to it as it came, and its answer comes back as it is, errors included,
 * streamed at the speed of the caller. Time, connections, waiting calls and the size of an answer are bounded.
 */
final class EvaluationsUpstream {

    private static final Logger LOG = Logger.getLogger(EvaluationsUpstream.class);

    /** Canonical gRPC codes. */
    private static final int DEADLINE_EXCEEDED = 4;

    private static final int RESOURCE_EXHAUSTED = 8;
    private static final int UNAVAILABLE = 14;

    /** Headers that concern one connection only, and those that the client sets itself. */
    private static final Set<String> NOT_PASSED = Set.of(
            "connection",
            "keep-alive",
            "proxy-authenticate",
            "proxy-authorization",
            "proxy-connection",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
            "expect",
            "host",
            "content-length");

    private final URI upstream;
    private final EvaluationsConfig config;
    private final Vertx vertx;
    private final HttpClient client;

    EvaluationsUpstream(URI upstream, EvaluationsConfig config, Vertx vertx) {
        this.upstream = upstream;
        this.config = config;
        this.vertx = vertx;
        this.client = vertx.createHttpClient(
                new HttpClientOptions()
                        .setConnectTimeout((int) config.connectTimeout().toMillis())
                        .setMaxWaitQueueSize(config.waitingMax()),
                new PoolOptions().setHttp1MaxSize(config.connectionsMax()));
    }

    /** Passes {@code request} and its whole {@code body} on, and answers. */
    void pass(HttpServerRequest request, Buffer body) {
        new Passing(request).start(body);
    }

    void close() {
        client.close();
    }

    private static void copy(MultiMap from, MultiMap to) {
        Set<String> named = new HashSet<>(NOT_PASSED);
        from.getAll("connection")
                .forEach(value -> Arrays.stream(value.split(",", -1))
                        .map(name -> name.trim().toLowerCase(Locale.ROOT))
                        .forEach(named::add));
        from.forEach((name, value) -> {
            String lower = name.toLowerCase(Locale.ROOT);
            if (!named.contains(lower) && !lower.startsWith("access-control-")) {
                to.add(name, value);
            }
        });
    }

    /** One call on its way; all of it happens on the caller's event loop. */
    private final class Passing {
        private final HttpServerRequest request;
        private final HttpServerResponse answer;
        private final long timer;
        private @Nullable HttpClientRequest sent;
        private long answerBytes;
        private boolean done;

        Passing(HttpServerRequest request) {
            this.request = request;
            this.answer = request.response();
            this.timer = vertx.setTimer(config.timeout().toMillis(), id -> late());
            answer.exceptionHandler(e -> abandon());
            answer.closeHandler(closed -> abandon());
        }

        void start(Buffer body) {
            RequestOptions options = new RequestOptions()
                    .setMethod(HttpMethod.POST)
                    .setAbsoluteURI(upstream.toString().replaceAll("/+$", "") + request.uri());
            client.request(options).onComplete(connected -> {
                if (done) {
                    if (connected.succeeded()) {
                        connected.result().reset();
                    }
                } else if (connected.failed()) {
                    failed(connected.cause());
                } else {
                    send(connected.result(), body);
                }
            });
        }

        private void send(HttpClientRequest to, Buffer body) {
            sent = to;
            copy(request.headers(), to.headers());
            to.send(body).onSuccess(this::answer).onFailure(this::failed);
        }

        private void answer(HttpClientResponse from) {
            if (done) {
                return;
            }
            answer.setStatusCode(from.statusCode());
            copy(from.headers(), answer.headers());
            String length = from.getHeader("content-length");
            if (length == null) {
                answer.setChunked(true);
            } else {
                answer.putHeader("content-length", length);
            }
            from.exceptionHandler(this::failed);
            from.endHandler(end -> {
                if (finish()) {
                    answer.end();
                }
            });
            from.handler(chunk -> pass(chunk, from));
        }

        private void pass(Buffer chunk, HttpClientResponse from) {
            answerBytes += chunk.length();
            if (done) {
                return;
            }
            if (answerBytes > config.answerBytesMax()) {
                LOG.warnf("The flag server's answer has more than %d bytes and is cut off", config.answerBytesMax());
                breakOff(502, UNAVAILABLE, "gateway: the answer of the flag server is too large");
                return;
            }
            answer.write(chunk);
            if (answer.writeQueueFull()) {
                from.pause();
                answer.drainHandler(drained -> from.resume());
            }
        }

        private void late() {
            breakOff(504, DEADLINE_EXCEEDED, "gateway: the flag server did not answer in time");
        }

        private void failed(Throwable failure) {
            LOG.debug("A call to the flag server failed", failure);
            if (failure instanceof ConnectionPoolTooBusyException) {
                breakOff(429, RESOURCE_EXHAUSTED, "gateway: too many calls wait for the flag server");
            } else if (failure instanceof ConnectTimeoutException) {
                late();
            } else {
                breakOff(502, UNAVAILABLE, "gateway: the flag server cannot be reached");
            }
        }

        /** Answers with an error, or cuts the answer off if it has begun: half an answer must not look whole. */
        private void breakOff(int status, int rpcCode, String message) {
            if (!finish()) {
                return;
            }
            if (sent != null) {
                sent.reset();
            }
            if (answer.headWritten()) {
                request.connection().close();
                return;
            }
            answer.headers().remove("content-length").remove("content-encoding");
            answer.setChunked(false)
                    .setStatusCode(status)
                    .putHeader("content-type", "application/json")
                    .putHeader("retry-after", "1")
                    .end(Json.encode(new StatusAnswer(rpcCode, message, List.of())));
        }

        private void abandon() {
            if (finish() && sent != null) {
                sent.reset();
            }
        }

        /** True for the first who ends this call. */
        private boolean finish() {
            if (done) {
                return false;
            }
            done = true;
            vertx.cancelTimer(timer);
            return true;
        }
    }
}
