package io.flagtally.benchmark;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.flagtally.packaged.ServiceProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;

/**
 * What a person would see: how long after its 200 an event is in the series, and how long the 30-day series of a flag
 * with dense registers takes, the first time after an event that changed it and at once again.
 */
final class Probes {

    private static final long PAUSE_NANOS = 50_000_000;

    private final ServiceProcess service;
    private final HttpClient http = HttpClient.newHttpClient();
    private final ObjectMapper json = new ObjectMapper();
    private final String flag = "probe-" + UUID.randomUUID();
    private final Histogram freshness = new Histogram(3);
    private final Histogram first = new Histogram(3);
    private final Histogram repeated = new Histogram(3);
    private long sent;
    private int changes;

    Probes(ServiceProcess service) {
        this.service = service;
    }

    void run(Duration duration) {
        long end = System.nanoTime() + duration.toNanos();
        try {
            while (System.nanoTime() < end) {
                probeFreshness();
                change();
                readDense(first);
                readDense(repeated);
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    void print(String when) {
        print(when + ", event to series", freshness);
        print(when + ", 30-day series first", first);
        print(when + ", 30-day series again", repeated);
    }

    private static void print(String what, Histogram micros) {
        System.out.printf(
                "%-36s p50 %.1f ms, p99 %.1f ms, max %.1f ms (%d times)%n",
                what,
                micros.getValueAtPercentile(50) / 1e3,
                micros.getValueAtPercentile(99) / 1e3,
                micros.getMaxValue() / 1e3,
                micros.getTotalCount());
    }

    /** Sends an event of a new user; true if it is safe. */
    private boolean send(String flagId, String variation) throws IOException, InterruptedException {
        String body = "{\"events\":[{\"id\":\"" + UUID.randomUUID()
                + "\",\"event\":{\"@type\":\"type.googleapis.com/bucketeer.event.client.EvaluationEvent\",\"timestamp\":"
                + System.currentTimeMillis() / 1000 + ",\"featureId\":\"" + flagId + "\",\"variationId\":\""
                + variation + "\",\"userId\":\"" + UUID.randomUUID() + "\",\"reason\":{\"type\":\"RULE\"}}}]}";
        HttpResponse<String> answer = http.send(
                request("/register_events").POST(BodyPublishers.ofString(body)).build(), BodyHandlers.ofString());
        return answer.statusCode() == 200;
    }

    /** Moves the dense flag, so that nothing remembered of it is true any more. */
    private void change() throws IOException, InterruptedException {
        if (!send(DenseFlag.ID, DenseFlag.variation(changes++ % DenseFlag.VARIATIONS))) {
            throw new IllegalStateException("the event that changes the dense flag was refused");
        }
    }

    private void probeFreshness() throws IOException, InterruptedException {
        if (!send(flag, "v")) {
            return;
        }
        sent++;
        long acknowledged = System.nanoTime();
        while (counted() < sent) {
            LockSupport.parkNanos(1_000_000);
        }
        freshness.recordValue((System.nanoTime() - acknowledged) / 1_000);
    }

    private long counted() throws IOException, InterruptedException {
        JsonNode series = read(flag, "TWENTY_FOUR_HOURS");
        long counted = 0;
        for (JsonNode variation : series.path("eventCounts")) {
            counted += variation.path("timeseries").path("totalCounts").asLong();
        }
        return counted;
    }

    private void readDense(Histogram micros) throws IOException, InterruptedException {
        long start = System.nanoTime();
        JsonNode series = read(DenseFlag.ID, "THIRTY_DAYS");
        micros.recordValue((System.nanoTime() - start) / 1_000);
        if (series.path("userCounts").size() != 6) {
            throw new IllegalStateException("the dense flag reads " + series);
        }
    }

    private JsonNode read(String featureId, String range) throws IOException, InterruptedException {
        HttpRequest request = request("/v1/evaluation_timeseries_count?featureId=" + featureId + "&timeRange=" + range)
                .build();
        return json.readTree(http.send(request, BodyHandlers.ofString()).body());
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(service.uri(path)).header("authorization", "local");
    }
}
