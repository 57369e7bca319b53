package io.flagtally.broker.azure;

import io.flagtally.broker.BrokerStartException;
import io.flagtally.broker.azure.AzureConfig.Identity;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonObject;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Who calls, if no connection string says so: gets tokens of Entra ID for a service principal, a workload identity or the
 * managed identity of the machine. A token is kept for three quarters of its life, and all who wait share a request.
 */
@Singleton
class AzureIdentity {

    /** @param renewAt when to show a new one in its place */
    record Token(String text, Instant renewAt, Instant endsAt) {

        /** Without the secret. */
        @Override
        public String toString() {
            return "a token until " + endsAt;
        }
    }

    private static final String RESOURCE = "https://servicebus.azure.net/";
    private static final String ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    private static final int PATIENCE_MILLIS = 5_000;
    private static final int OK = 200;
    private static final int REFUSED_MAX = 403;
    private static final int REFUSED_MIN = 400;

    private final Vertx vertx;
    private final AzureConfig config;
    private final InstantSource clock;
    private @Nullable Future<Token> known;

    @Inject
    AzureIdentity(Vertx vertx, AzureConfig config, InstantSource clock) {
        this.vertx = vertx;
        this.config = config;
        this.clock = clock;
    }

    /** @throws BrokerStartException if only a part of an identity is configured */
    void require() {
        Identity identity = config.identity();
        boolean named = identity.tenantId().isPresent() && identity.clientId().isPresent();
        boolean proven =
                identity.clientSecret().isPresent() || identity.tokenFile().isPresent();
        if (proven && !named) {
            throw new BrokerStartException(
                    "An identity of Entra ID that has a secret or a token file needs a tenant and a client; set"
                            + " flagtally.broker.azure.identity.tenant-id and flagtally.broker.azure.identity.client-id.");
        }
    }

    /** A token; fails with an {@link AzureException}. May be called, and is done, by any thread. */
    synchronized Future<Token> token() {
        Future<Token> last = known;
        if (last != null && !last.failed() && (!last.isComplete() || isFresh(last.result()))) {
            return last;
        }
        Future<Token> next = request();
        known = next;
        return next;
    }

    /** How long {@code token} is the one to show. */
    Duration untilRenewal(Token token) {
        return Duration.between(clock.instant(), token.renewAt());
    }

    private boolean isFresh(Token token) {
        return clock.instant().isBefore(token.renewAt());
    }

    private Future<Token> request() {
        Identity identity = config.identity();
        if (identity.clientSecret().isPresent()) {
            return ofClient("client_secret=" + encoded(identity.clientSecret().get()));
        }
        if (identity.tokenFile().isPresent()) {
            String file = identity.tokenFile().get();
            return vertx.fileSystem()
                    .readFile(file)
                    .recover(unread ->
                            Future.failedFuture(AzureException.noToken("the file " + file + " cannot be read")))
                    .compose(assertion ->
                            ofClient("client_assertion_type=" + encoded(ASSERTION_TYPE) + "&client_assertion="
                                    + encoded(assertion.toString().strip())));
        }
        return ofMachine();
    }

    private Future<Token> ofClient(String proof) {
        Identity identity = config.identity();
        String form = "grant_type=client_credentials&scope=" + encoded(RESOURCE + ".default") + "&client_id="
                + encoded(identity.clientId().orElse("")) + "&" + proof;
        return ask(
                new RequestOptions()
                        .setMethod(HttpMethod.POST)
                        .setAbsoluteURI(withSlash(identity.authority())
                                + encoded(identity.tenantId().orElse("")) + "/oauth2/v2.0/token")
                        .putHeader("content-type", "application/x-www-form-urlencoded"),
                form);
    }

    private Future<Token> ofMachine() {
        Identity identity = config.identity();
        String client =
                identity.clientId().map(id -> "&client_id=" + encoded(id)).orElse("");
        return ask(
                new RequestOptions()
                        .setMethod(HttpMethod.GET)
                        .setAbsoluteURI(withSlash(identity.metadata())
                                + "metadata/identity/oauth2/token?api-version=2018-02-01&resource=" + encoded(RESOURCE)
                                + client)
                        .putHeader("metadata", "true"),
                "");
    }

    private Future<Token> ask(RequestOptions request, String form) {
        HttpClient client = vertx.createHttpClient(new HttpClientOptions()
                .setKeepAlive(false)
                .setConnectTimeout(PATIENCE_MILLIS)
                .setIdleTimeoutUnit(TimeUnit.MILLISECONDS)
                .setIdleTimeout(PATIENCE_MILLIS));
        return client.request(request)
                .compose(open -> open.send(Buffer.buffer(form)))
                .compose(answer -> answer.body().compose(body -> read(answer.statusCode(), body)))
                .recover(failure -> Future.failedFuture(
                        failure instanceof AzureException
                                ? failure
                                : AzureException.away("no token: " + request.getHost() + ": " + failure.getMessage())))
                .eventually(() -> client.close());
    }

    private Future<Token> read(int status, Buffer body) {
        JsonObject said = json(body);
        String token = said.getString("access_token");
        if (status == OK && token != null) {
            Duration life = Duration.ofSeconds(Long.parseLong(String.valueOf(said.getValue("expires_in"))));
            Instant now = clock.instant();
            return Future.succeededFuture(
                    new Token(token, now.plus(life.multipliedBy(3).dividedBy(4)), now.plus(life)));
        }
        String why = status + " "
                + Optional.ofNullable(said.getString("error_description")).orElse("");
        boolean refused = status >= REFUSED_MIN && status <= REFUSED_MAX;
        return Future.failedFuture(refused ? AzureException.noToken(why) : AzureException.away("no token: " + why));
    }

    private static JsonObject json(Buffer body) {
        try {
            return new JsonObject(body);
        } catch (DecodeException | ClassCastException notJson) {
            return new JsonObject();
        }
    }

    private static String withSlash(String uri) {
        return uri.endsWith("/") ? uri : uri + "/";
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
