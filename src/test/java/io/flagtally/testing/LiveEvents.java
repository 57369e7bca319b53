package io.flagtally.testing;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** Sends evaluations that happen now, as an SDK does. */
public final class LiveEvents {

    private static final HttpClient HTTP =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();

    private LiveEvents() {}

    /** An evaluation of now, with a new id, as it stands in a request. */
    public static String event(String flag, String variation, String user, long epochSecond) {
        return event(flag, variation, user, epochSecond, "RULE");
    }

    /** The same, served for {@code reason}. */
    public static String event(String flag, String variation, String user, long epochSecond, String reason) {
        return "{\"id\":\"" + UUID.randomUUID()
                + "\",\"event\":{\"@type\":\"type.googleapis.com/bucketeer.event.client.EvaluationEvent\",\"timestamp\":"
                + epochSecond + ",\"featureId\":\"" + flag + "\",\"variationId\":\"" + variation + "\",\"userId\":\""
                + user + "\",\"reason\":{\"type\":\"" + reason + "\"}}}";
    }

    /** One request with {@code events}. */
    public static HttpRequest.Builder request(URI service, String key, List<String> events) {
        return HttpRequest.newBuilder(service.resolve("/register_events"))
                .header("authorization", key)
                .POST(BodyPublishers.ofString(
                        "{\"events\":[" + String.join(",", events) + "],\"sourceId\":\"JAVASCRIPT\"}"));
    }

    /** Sends {@code events} in one request; true if all of them are safe. */
    public static boolean send(URI service, String key, List<String> events) throws InterruptedException {
        HttpRequest request =
                request(service, key, events).timeout(Duration.ofSeconds(30)).build();
        try {
            return HTTP.send(request, BodyHandlers.ofString()).body().equals("{\"errors\":{}}");
        } catch (IOException e) {
            return false;
        }
    }

    /** Sends {@code count} evaluations of one variation by different users, and fails if they are not safe. */
    public static void send(URI service, String key, String flag, String variation, int count)
            throws InterruptedException {
        List<String> events = new ArrayList<>();
        long second = System.currentTimeMillis() / 1000;
        for (int i = 0; i < count; i++) {
            events.add(event(flag, variation, "user-" + UUID.randomUUID(), second));
        }
        if (!send(service, key, events)) {
            throw new AssertionError("the events were not taken");
        }
    }
}
