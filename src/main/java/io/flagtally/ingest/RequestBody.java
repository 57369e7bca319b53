package io.flagtally.ingest;

import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Reads the body of a request within the bounds of the door, chunked or not, gzip or not, without ever blocking. A body
 * that is refused is read to its end all the same, up to a bound and without being kept, so that the caller, who sends
 * before he listens, gets his answer.
 */
@Singleton
class RequestBody {

    /** How much of a refused body is read over, in multiples of the largest body. Beyond it the connection is closed. */
    private static final int DISCARDED_BODIES_MAX = 16;

    /** How long the answer to such a caller has to reach him. */
    private static final long CLOSE_AFTER_MILLIS = 1000;

    private final InFlight inFlight;
    private final IngestConfig config;
    private final Vertx vertx;

    @Inject
    RequestBody(InFlight inFlight, IngestConfig config, Vertx vertx) {
        this.inFlight = inFlight;
        this.config = config;
        this.vertx = vertx;
    }

    /**
     * Reads the body of {@code request}, whose caller releases it. To be called on the request's event loop, before
     * anything of the body was read.
     *
     * @return the body, unpacked; fails with {@link RefusedException} if it is too large, too slow or no gzip
     */
    Uni<Body> read(HttpServerRequest request) {
        return start(request, null).map(body -> unpacked(body, request.getHeader("content-encoding")));
    }

    /** Reads the body of {@code request} as {@link #read} does, but leaves it packed. */
    Uni<Body> readPacked(HttpServerRequest request) {
        return start(request, null);
    }

    /** Reads over the body of a request that is answered with {@code refusal}, then fails with it. */
    <T> Uni<T> refuse(HttpServerRequest request, RuntimeException refusal) {
        return start(request, refusal).map(body -> {
            throw refusal;
        });
    }

    private Uni<Body> start(HttpServerRequest request, @Nullable RuntimeException refusal) {
        return Uni.createFrom().emitter(emitter -> new Reading(request, emitter, refusal).start());
    }

    private Body unpacked(Body body, @Nullable String encoding) {
        String name = encoding == null ? "" : encoding.trim().toLowerCase(Locale.ROOT);
        try {
            switch (name) {
                case "", "identity" -> {}
                case "gzip", "x-gzip" -> Gunzip.unpack(body, config.bodyBytesMax());
                default ->
                    throw new RefusedException(
                            ErrorCode.INVALID_ARGUMENT, "gateway: a request body may be gzip or plain, nothing else");
            }
            return body;
        } catch (RuntimeException e) {
            body.release();
            throw e;
        }
    }

    /** One body on its way in; all of it happens on one event loop. */
    private final class Reading {
        private final HttpServerRequest request;
        private final UniEmitter<? super Body> emitter;
        private final long announced;
        private final Body body;
        private final long timer;
        private final long discardMax = (long) config.bodyBytesMax() * DISCARDED_BODIES_MAX;
        private @Nullable RuntimeException refusal;
        private long discarded;
        private boolean done;

        Reading(HttpServerRequest request, UniEmitter<? super Body> emitter, @Nullable RuntimeException refusal) {
            this.request = request;
            this.emitter = emitter;
            this.refusal = refusal;
            this.announced = announcedBytes(request);
            this.body = new Body(inFlight, config.bodyBytesMax(), announced);
            this.timer = vertx.setTimer(config.bodyTimeout().toMillis(), id -> late());
        }

        void start() {
            emitter.onTermination(this::abandon);
            if (refusal == null && announced > config.bodyBytesMax()) {
                refusal = Body.tooLarge(config.bodyBytesMax());
            }
            if (refusal != null && announced > discardMax) {
                refuseAndClose(refusal);
                return;
            }
            request.handler(this::chunk);
            request.exceptionHandler(
                    e -> finish(new RefusedException(ErrorCode.MALFORMED, "gateway: the request body broke off")));
            request.endHandler(end -> finish(refusal));
            if ("100-continue".equalsIgnoreCase(request.getHeader("expect"))) {
                request.response().writeContinue();
            }
            if (request.isEnded()) {
                finish(refusal);
            } else {
                request.resume();
            }
        }

        private static long announcedBytes(HttpServerRequest request) {
            try {
                String length = request.getHeader("content-length");
                return length == null ? 0 : Long.parseLong(length);
            } catch (NumberFormatException e) {
                return 0;
            }
        }

        private void chunk(Buffer chunk) {
            if (refusal == null) {
                try {
                    body.append(chunk);
                    return;
                } catch (RefusedException e) {
                    refusal = e;
                    discarded = body.length();
                    body.release();
                }
            }
            discarded += chunk.length();
            if (discarded > discardMax) {
                refuseAndClose(refusal);
            }
        }

        private void late() {
            RuntimeException slow =
                    new RefusedException(ErrorCode.INVALID_ARGUMENT, "gateway: the request body came too slowly");
            refuseAndClose(refusal == null ? slow : refusal);
        }

        private void refuseAndClose(RuntimeException with) {
            boolean ownConnection = request.version() != HttpVersion.HTTP_2;
            if (ownConnection && !request.response().headWritten()) {
                request.response().putHeader("connection", "close");
                // Not at once: to close on a caller who still sends would take the answer from him.
                vertx.setTimer(CLOSE_AFTER_MILLIS, id -> request.connection().close());
            }
            finish(with);
            request.handler(chunk -> {});
            request.resume();
        }

        /** Nobody waits for the body any more. */
        private void abandon() {
            if (!done) {
                done = true;
                vertx.cancelTimer(timer);
                body.release();
            }
        }

        private void finish(@Nullable RuntimeException failure) {
            if (done) {
                return;
            }
            done = true;
            vertx.cancelTimer(timer);
            if (failure == null) {
                emitter.complete(body);
            } else {
                body.release();
                emitter.fail(failure);
            }
        }
    }
}
