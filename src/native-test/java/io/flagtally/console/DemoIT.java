package io.flagtally.console;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.flagtally.packaged.ServiceProcess;
import io.flagtally.testing.TestData;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.YearMonth;
import java.time.ZoneOffset;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** The demo of the packaged service, as a newcomer starts it. */
class DemoIT {

    private static final String SWITCH = "-Dflagtally.demo=true";
    private static final String KEY = "demo";
    private static final String HISTORY = "The demo writes its history";
    private static final YearMonth THIS_MONTH = YearMonth.now(ZoneOffset.UTC);
    private static final YearMonth LAST_MONTH = THIS_MONTH.minusMonths(1);
    private static final Duration PATIENCE = Duration.ofSeconds(120);

    private final Path directory = TestData.newDirectory("demo");

    @Test
    void demo_switchedOn_livesFromThePastAndOnlyThen() {
        long before;
        try (ServiceProcess service = ServiceProcess.in(directory).with(SWITCH).ready()) {
            await(() -> events(service) > 20_000);
            JsonNode environment =
                    json(service, "/v1/environments").get("environments").get(0);
            assertEquals("demo", environment.get("environmentId").asText());
            assertEquals("Demo shop", environment.get("name").asText());
            assertTrue(json(service, "/v1/flags").get("flags").size() >= 6);
            assertTrue(service.log().contains("Demo  demo"), service::log);
            before = events(service);
            service.stop();
        }
        try (ServiceProcess again = ServiceProcess.in(directory).with(SWITCH).ready()) {
            await(() -> events(again) > before);
            assertFalse(again.log().contains(HISTORY), again::log);
            again.stop();
        }
        try (ServiceProcess off = ServiceProcess.in(directory).ready()) {
            assertEquals(403, get(off, "/v1/environments", KEY).statusCode());
            assertFalse(off.log().contains("The demo"), off::log);
        }
    }

    /** Events of this month and the last. */
    private static long events(ServiceProcess service) {
        long sum = 0;
        for (JsonNode step : json(
                        service, "/v1/active_users?granularity=MONTH&from=" + LAST_MONTH + "&to=" + THIS_MONTH)
                .get("steps")) {
            sum += step.get("events").asLong();
        }
        return sum;
    }

    private static void await(java.util.concurrent.Callable<Boolean> condition) {
        Awaitility.await().atMost(PATIENCE).pollInterval(Duration.ofMillis(300)).until(condition);
    }

    private static JsonNode json(ServiceProcess service, String path) {
        HttpResponse<String> answer = get(service, path, KEY);
        assertEquals(200, answer.statusCode(), answer::body);
        try {
            return new ObjectMapper().readTree(answer.body());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static HttpResponse<String> get(ServiceProcess service, String path, String key) {
        return service.send(HttpRequest.newBuilder(service.uri(path)).header("authorization", key));
    }
}
