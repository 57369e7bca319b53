package io.flagtally.ingest;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.UUID;
import java.util.zip.GZIPOutputStream;
import org.eclipse.microprofile.config.ConfigProvider;

/** Speaks to the doors as an SDK does, or worse. */
final class DoorClient {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final String base;

    DoorClient(String base) {
        this.base = base;
    }

    /** A client of the service under test. */
    static DoorClient ofThisTest() {
        int port = ConfigProvider.getConfig().getValue("quarkus.http.test-port", Integer.class);
        return new DoorClient("http://127.0.0.1:" + port);
    }

    HttpResponse<String> register(String key, String body) {
        return register(key, body.getBytes(StandardCharsets.UTF_8));
    }

    HttpResponse<String> register(String key, byte[] body) {
        return send(post("/register_events", BodyPublishers.ofByteArray(body)).header("authorization", key));
    }

    HttpResponse<String> registerChunked(String key, byte[] body) {
        return send(post("/register_events", BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body)))
                .header("authorization", key));
    }

    HttpResponse<String> registerGzip(String key, byte[] packed) {
        return send(post("/register_events", BodyPublishers.ofByteArray(packed))
                .header("authorization", key)
                .header("content-encoding", "gzip"));
    }

    HttpResponse<String> get(String path) {
        return send(request(path).GET());
    }

    HttpRequest.Builder post(String path, BodyPublisher body) {
        return request(path).header("content-type", "application/json").POST(body);
    }

    HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(base + path)).timeout(TIMEOUT);
    }

    HttpResponse<String> send(HttpRequest.Builder request) {
        try {
            return http.send(request.build(), BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    static byte[] gzip(byte[] plain) {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
            out.write(plain);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return packed.toByteArray();
    }

    /** Returns an evaluation event as JSON. */
    static String evaluation(String id, String flag, String variation, String user, long timestamp) {
        return "{\"id\":\"" + id + "\",\"event\":{\"@type\":\"type.googleapis.com/bucketeer.event.client."
                + "EvaluationEvent\",\"timestamp\":" + timestamp + ",\"featureId\":\"" + flag + "\",\"variationId\":\""
                + variation + "\",\"userId\":\"" + user + "\",\"reason\":{\"type\":\"RULE\"}}}";
    }

    static String evaluation(String flag, String variation, String user, long timestamp) {
        return evaluation(UUID.randomUUID().toString(), flag, variation, user, timestamp);
    }

    static String events(String... events) {
        return "{\"events\":[" + String.join(",", events) + "]}";
    }
}
