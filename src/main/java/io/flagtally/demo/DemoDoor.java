package io.flagtally.demo;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The way into the service: its HTTP door, with waiting and sending again as an SDK does. */
final class DemoDoor {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final Duration PAUSE_AFTER_FAILURE = Duration.ofSeconds(1);
    private static final int GOOD = 2;
    private static final int REFUSED = 4;
    private static final int FULL = 429;

    private final URI service;
    private final String key;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();

    DemoDoor(URI service, String key) {
        this.service = service;
        this.key = key;
    }

    /**
     * Returns how a URL names the host that a server reaches itself at.
     *
     * @param listening what it listens on: a name, an address, or an address for all; null for all
     */
    static String host(@Nullable String listening) {
        String host = listening == null ? "" : listening;
        try {
            InetAddress address = InetAddress.getByName(host);
            if (host.isEmpty() || address.isAnyLocalAddress()) {
                return address instanceof Inet6Address && !host.isEmpty() ? "[::1]" : "127.0.0.1";
            }
        } catch (UnknownHostException e) {
            throw new IllegalStateException("The host " + host + " (quarkus.http.host) is not known.", e);
        }
        return host.contains(":") && !host.startsWith("[") ? "[" + host + "]" : host;
    }

    /**
     * Sends until the service has the events.
     *
     * @throws IllegalStateException with a sentence, if it never will
     */
    void send(int source, List<String> events) throws InterruptedException {
        String body =
                "{\"events\":[" + String.join(",", events) + "],\"sourceId\":" + source + ",\"sdkVersion\":\"demo\"}";
        var unused = untilDone(withBody("/register_events", "POST", body));
    }

    /**
     * Returns the name of the environment; null if it has none.
     *
     * @throws IllegalStateException with a sentence, if the service will never say
     */
    @Nullable
    String environmentName() throws InterruptedException {
        JsonNode first = json("/v1/labels?limit=1").at("/labels/0");
        return first.path("kind").asText().equals("ENVIRONMENT")
                ? first.path("name").textValue()
                : null;
    }

    /**
     * Returns when the last event of the environment happened; null if it has had none.
     *
     * @throws IllegalStateException with a sentence, if the service will never say
     */
    @Nullable
    Instant lastEvent() throws InterruptedException {
        String last = json("/v1/environments").at("/environments/0/lastEventAt").textValue();
        return last == null ? null : Instant.parse(last);
    }

    /** Gives the environment, flags and variations the names by which people know them. */
    void name(String labels) throws InterruptedException {
        var unused = untilDone(withBody("/v1/labels", "PUT", labels));
    }

    private JsonNode json(String path) throws InterruptedException {
        try {
            return JSON.readTree(untilDone(request(path).GET().build()));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(path + " answered something else than JSON: " + e.getOriginalMessage(), e);
        }
    }

    /** Sends again as long as that may help. */
    private String untilDone(HttpRequest request) throws InterruptedException {
        for (; ; Thread.sleep(PAUSE_AFTER_FAILURE.toMillis())) {
            HttpResponse<String> answer = answer(request);
            if (answer != null && answer.statusCode() / 100 == GOOD) {
                return answer.body();
            }
            if (answer != null && answer.statusCode() / 100 == REFUSED && answer.statusCode() != FULL) {
                throw new IllegalStateException(
                        request.uri().getPath() + " answered " + answer.statusCode() + " " + answer.body());
            }
        }
    }

    private HttpRequest withBody(String path, String method, String body) {
        return request(path)
                .header("content-type", "application/json")
                .method(method, BodyPublishers.ofString(body))
                .build();
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(service.resolve(path)).timeout(TIMEOUT).header("authorization", key);
    }

    private @Nullable HttpResponse<String> answer(HttpRequest request) throws InterruptedException {
        try {
            return http.send(request, BodyHandlers.ofString(StandardCharsets.UTF_8));
        } catch (IOException notYet) {
            return null;
        }
    }
}
