package io.flagtally.retail;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Reads a running service's counts as a console does. */
final class EventCounter {

    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * A variation over the last 30 days.
     *
     * @param byDay days with a value other than zero
     */
    record Values(long total, Map<LocalDate, Long> byDay) {}

    /** Events and users of a flag, by variation. */
    record Flag(Map<String, Values> events, Map<String, Values> users) {}

    /** A time in which the store may have forgotten counts. */
    record Doubt(String cause, Instant from, Instant to) {}

    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final URI service;

    EventCounter(URI service) {
        this.service = service;
    }

    Flag thirtyDays(String flag) throws IOException, InterruptedException {
        String query = "featureId=" + URLEncoder.encode(flag, StandardCharsets.UTF_8) + "&timeRange=THIRTY_DAYS";
        HttpResponse<String> answer = get("/v1/evaluation_timeseries_count?" + query);
        if (answer.statusCode() != 200) {
            throw new IOException(answer.statusCode() + " " + answer.body());
        }
        JsonNode json = JSON.readTree(answer.body());
        return new Flag(values(json.path("eventCounts")), values(json.path("userCounts")));
    }

    /** Returns the status of readiness, 0 if nobody answers. */
    int readiness() throws InterruptedException {
        try {
            return get("/q/health/ready").statusCode();
        } catch (IOException e) {
            return 0;
        }
    }

    /** Whether reads are answered now. */
    boolean canRead() throws InterruptedException {
        try {
            return get("/v1/doubts").statusCode() == 200;
        } catch (IOException e) {
            return false;
        }
    }

    List<Doubt> doubts() throws IOException, InterruptedException {
        HttpResponse<String> answer = get("/v1/doubts");
        if (answer.statusCode() != 200) {
            throw new IOException(answer.statusCode() + " " + answer.body());
        }
        List<Doubt> doubts = new ArrayList<>();
        for (JsonNode doubt : JSON.readTree(answer.body()).path("doubts")) {
            doubts.add(new Doubt(
                    doubt.path("cause").asText(),
                    Instant.parse(doubt.path("from").asText()),
                    Instant.parse(doubt.path("to").asText())));
        }
        return doubts;
    }

    private HttpResponse<String> get(String path) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(service + path))
                .header("authorization", "local")
                .timeout(Duration.ofSeconds(20))
                .build();
        return client.send(request, HttpResponse.BodyHandlers.ofString());
    }

    private static Map<String, Values> values(JsonNode counts) {
        Map<String, Values> byVariation = new TreeMap<>();
        for (JsonNode variation : counts) {
            JsonNode series = variation.path("timeseries");
            Map<LocalDate, Long> byDay = new TreeMap<>();
            for (int i = 0; i < series.path("timestamps").size(); i++) {
                Instant start =
                        Instant.ofEpochSecond(series.path("timestamps").get(i).asLong());
                long value = series.path("values").get(i).asLong();
                if (value != 0) {
                    byDay.put(LocalDate.ofInstant(start, ZoneOffset.UTC), value);
                }
            }
            byVariation.put(
                    variation.path("variationId").asText(),
                    new Values(series.path("totalCounts").asLong(), byDay));
        }
        return byVariation;
    }
}
