package io.flagtally.series.report;

import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.RequestOptions;
import java.net.URI;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Posts to webhooks. A request ends in time whatever the receiver does; of an answer only the status is read, and
 * redirects are not followed. A receiver that is away, slow or says 408, 425, 429 or 5xx is asked again, a few times and
 * ever more slowly; another refusal is for good.
 */
final class ReportWebhook {

    /**
     * A request, the same at each attempt but for its time and signature.
     *
     * @param secret null if nothing is signed
     */
    record Post(
            URI to,
            String idempotencyKey,
            byte[] body,
            @Nullable String secret) {}

    private static final Set<Integer> AGAIN = Set.of(408, 425, 429);

    private final Vertx vertx;
    private final ReportConfig config;
    private final InstantSource clock;

    ReportWebhook(Vertx vertx, ReportConfig config, InstantSource clock) {
        this.vertx = vertx;
        this.config = config;
        this.clock = clock;
    }

    /** Sends until it is taken. Fails with {@link ReportRefusedException} if it is not. */
    Uni<Void> send(Post post) {
        return Uni.createFrom().deferred(() -> {
            HttpClient client = vertx.createHttpClient(new HttpClientOptions()
                    .setKeepAlive(false)
                    .setConnectTimeout((int) config.timeout().toMillis())
                    .setIdleTimeoutUnit(TimeUnit.MILLISECONDS)
                    .setIdleTimeout((int) config.timeout().toMillis()));
            return attempt(client, post, 1)
                    .eventually(() ->
                            Uni.createFrom().completionStage(client.close().toCompletionStage()));
        });
    }

    private Uni<Void> attempt(HttpClient client, Post post, int number) {
        return once(client, post)
                .onFailure(failure -> number < config.attemptsMax()
                        && !(failure instanceof ReportRefusedException refused && refused.forGood()))
                .recoverWithUni(failure -> Uni.createFrom()
                        .voidItem()
                        .onItem()
                        .delayIt()
                        .by(waitAfter(number))
                        .chain(() -> attempt(client, post, number + 1)));
    }

    private Duration waitAfter(int number) {
        return config.backoff().multipliedBy(1L << Math.min(number - 1, 10));
    }

    private Uni<Void> once(HttpClient client, Post post) {
        long now = clock.instant().getEpochSecond();
        RequestOptions options = new RequestOptions()
                .setMethod(HttpMethod.POST)
                .setAbsoluteURI(post.to.toString())
                .putHeader("content-type", "application/json")
                .putHeader("user-agent", "Flagtally")
                .putHeader("idempotency-key", post.idempotencyKey)
                .putHeader("flagtally-timestamp", Long.toString(now));
        if (post.secret != null) {
            options.putHeader("flagtally-signature", ReportSignature.of(post.secret, now, post.body));
        }
        return Uni.createFrom()
                .completionStage(() -> client.request(options)
                        .compose(request -> request.send(Buffer.buffer(post.body)))
                        .map(answer -> {
                            answer.request().connection().close();
                            return answer.statusCode();
                        })
                        .toCompletionStage())
                .ifNoItem()
                .after(config.timeout())
                .failWith(() -> new ReportRefusedException(
                        post.to.getHost() + " did not answer within "
                                + config.timeout().toMillis() + " ms",
                        false,
                        null))
                .onFailure(failure -> !(failure instanceof ReportRefusedException))
                .transform(failure -> new ReportRefusedException(
                        post.to.getHost() + " cannot be reached: " + failure.getMessage(), false, failure))
                .invoke(status -> requireTaken(post.to.getHost(), status))
                .replaceWithVoid();
    }

    private static void requireTaken(String host, int status) {
        if (status < 200 || status > 299) {
            boolean again = status >= 500 || AGAIN.contains(status);
            throw new ReportRefusedException(host + " answered " + status, !again, null);
        }
    }
}
