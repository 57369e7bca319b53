package io.flagtally.demo;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The way into the service: its HTTP door, with waiting and sending again as an SDK does. */
final class DemoDoor {

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
     * Whether the environment has had events before.
     *
     * @throws IllegalStateException with a sentence, if it will never say
     */
    boolean hasHistory() throws InterruptedException {
        HttpRequest request = request("/v1/flags?limit=1").GET().build();
        return untilDone(request).contains("\"featureId\"");
    }

    /** Gives flags and variations the names by which people know them. */
    void name(String labels) throws InterruptedException {
        var unused = untilDone(withBody("/v1/labels", "PUT", labels));
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
