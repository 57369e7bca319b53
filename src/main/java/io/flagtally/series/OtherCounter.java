package io.flagtally.series;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.IdFault;
import io.flagtally.platform.error.UnavailableException;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.RequestOptions;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Another counter, over its own faces {@code /v1/flags} and {@code /v1/evaluation_series}. Redirections are not followed,
 * and an answer is read up to a bound. Every failure is an {@link UnavailableException} that names the counter. For one
 * comparison; close it afterwards.
 */
final class OtherCounter implements Counter, AutoCloseable {

    private static final int ANSWER_BYTES_MAX = 2 * 1024 * 1024;

    /** Characters of a refusal that are told on. */
    private static final int DETAIL_MAX = 200;

    private static final int PAGE = 500;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final URI url;
    private final String key;
    private final Duration timeout;
    private final HttpClient client;

    OtherCounter(Vertx vertx, URI url, String key, Duration timeout) {
        this.url = url;
        this.key = key;
        this.timeout = timeout;
        this.client = vertx.createHttpClient(new HttpClientOptions()
                .setConnectTimeout((int) timeout.toMillis())
                .setDecompressionSupported(false));
    }

    @Override
    public Uni<Flags> flags(EnvironmentId environment, String after) {
        return get(
                        "/v1/flags",
                        Map.of(
                                "environmentId",
                                environment.value(),
                                "limit",
                                Integer.toString(PAGE),
                                "pageToken",
                                after))
                .map(page -> {
                    String zone = page.path("zone").asText("");
                    if (zone.isEmpty() || !page.path("flags").isArray()) {
                        throw unreadable("its answer to /v1/flags is none of a counter's", null);
                    }
                    List<String> ids = new ArrayList<>();
                    page.path("flags")
                            .forEach(flag -> ids.add(flag.path("featureId").asText("")));
                    if (ids.stream().anyMatch(id -> IdFault.of(id) != null)) {
                        throw unreadable("its answer names a flag that cannot be", null);
                    }
                    return new Flags(
                            zone,
                            ids,
                            page.path("matching").asInt(),
                            page.path("nextPageToken").asText(""));
                });
    }

    @Override
    public Uni<Days> days(EnvironmentId environment, String flag, LocalDate from, LocalDate to) {
        return get(
                        "/v1/evaluation_series",
                        Map.of(
                                "environmentId", environment.value(),
                                "featureId", flag,
                                "from", from.toString(),
                                "to", to.toString()))
                .map(series -> {
                    List<Instant> starts = new ArrayList<>();
                    series.path("buckets")
                            .forEach(step -> starts.add(
                                    Instant.ofEpochSecond(step.path("unix").asLong())));
                    Map<String, List<Long>> events = new HashMap<>();
                    series.path("variations").forEach(variation -> {
                        List<Long> counts = new ArrayList<>();
                        variation.path("events").forEach(count -> counts.add(count.asLong()));
                        events.put(variation.path("variationId").asText(), counts);
                    });
                    return new Days(starts, events);
                });
    }

    @Override
    public void close() {
        client.close();
    }

    private Uni<JsonNode> get(String path, Map<String, String> parameters) {
        StringBuilder uri = new StringBuilder(
                        url.getRawPath() == null ? "" : url.getRawPath().replaceFirst("/+$", ""))
                .append(path);
        char separator = '?';
        for (Map.Entry<String, String> each : parameters.entrySet()) {
            uri.append(separator)
                    .append(each.getKey())
                    .append('=')
                    .append(URLEncoder.encode(each.getValue(), StandardCharsets.UTF_8));
            separator = '&';
        }
        boolean tls = "https".equalsIgnoreCase(url.getScheme());
        RequestOptions request = new RequestOptions()
                .setMethod(HttpMethod.GET)
                .setHost(url.getHost())
                .setPort(url.getPort() >= 0 ? url.getPort() : tls ? 443 : 80)
                .setSsl(tls)
                .setURI(uri.toString())
                .setFollowRedirects(false)
                .setTimeout(timeout.toMillis())
                .putHeader("authorization", key);
        return Uni.createFrom()
                .<Buffer>emitter(answer -> client.request(request)
                        .compose(HttpClientRequest::send)
                        .onFailure(answer::fail)
                        .onSuccess(response -> read(response, answer)))
                .ifNoItem()
                .after(timeout)
                .failWith(() -> new IOException("it does not answer within " + timeout.toMillis() + " ms"))
                .map(OtherCounter::parsed)
                .onFailure()
                .transform(failure -> unreadable(reason(failure), failure));
    }

    private UnavailableException unreadable(String reason, @Nullable Throwable cause) {
        return new UnavailableException("The counter at " + url + " cannot be read: " + reason + ".", cause);
    }

    private static void read(HttpClientResponse response, UniEmitter<? super Buffer> to) {
        Buffer body = Buffer.buffer();
        response.exceptionHandler(to::fail);
        response.endHandler(end -> {
            if (response.statusCode() == 200) {
                to.complete(body);
            } else {
                to.fail(new IOException("it answers " + response.statusCode() + detail(body)));
            }
        });
        response.handler(part -> {
            if (body.length() + part.length() > ANSWER_BYTES_MAX) {
                to.fail(new IOException("its answer is over " + ANSWER_BYTES_MAX + " bytes"));
                response.request().reset();
            } else {
                body.appendBuffer(part);
            }
        });
    }

    /** What a counter says of its refusal; nothing if it says nothing. */
    private static String detail(Buffer body) {
        try {
            String detail = parsed(body).path("detail").asText("");
            return detail.isEmpty() ? "" : ", " + detail.substring(0, Math.min(DETAIL_MAX, detail.length()));
        } catch (IllegalStateException unreadable) {
            return "";
        }
    }

    private static String reason(Throwable failure) {
        String message = failure.getMessage();
        return message == null ? failure.getClass().getSimpleName() : message.replaceAll("\\.+$", "");
    }

    private static JsonNode parsed(Buffer body) {
        try {
            JsonNode answer = JSON.readTree(body.getBytes());
            if (answer == null || !answer.isObject()) {
                throw new IllegalStateException("its answer is no JSON object");
            }
            return answer;
        } catch (IOException e) {
            throw new IllegalStateException("its answer is no JSON", e);
        }
    }
}
