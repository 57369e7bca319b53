package io.flagtally.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.flagtally.packaged.ServiceProcess;
import io.flagtally.testing.LiveClient;
import io.flagtally.testing.TestData;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The demo of the packaged service, as a newcomer starts it, and stops it before it has written its history. */
class DemoIT {

    private static final String SWITCH = "-Dflagtally.demo=true";
    private static final String KEY = "demo";
    private static final String HISTORY = "The demo writes its history";
    private static final String FLAG = "dark-mode";
    /** What is made up comes by chance, and a busy machine takes its time. */
    private static final Duration PATIENCE = Duration.ofMinutes(8);

    private static final int HOURS = 24;

    private final Path directory = TestData.newDirectory("demo");

    @Test
    void firstStart_killedOnTheWay_isCompletedByTheNextAndOnlyThen() throws Exception {
        DemoProgress cut;
        try (ServiceProcess service = ServiceProcess.in(directory).with(SWITCH).ready()) {
            assertTrue(service.log().contains("Demo  demo"), service::log);
            await(PATIENCE, () -> livesToday(service));
            await(PATIENCE, () -> eventsASecond(service) > 0);
            await(PATIENCE, () -> service.metric("flagtally_events_duplicates_total") > 0);
            assertTrue(json(service, "/v1/flags").get("flags").size() >= 8);
            await(PATIENCE, () -> since(service).isBefore(Instant.now().minus(Duration.ofDays(4))));
            cut = progress(service);
            service.kill();
        }
        assertNotNull(cut, "killed on the way");
        try (ServiceProcess again = ServiceProcess.in(directory).with(SWITCH).ready()) {
            await(PATIENCE, () -> DemoRun.SHOP.equals(name(again)));
            assertTrue(again.log().contains(HISTORY), again::log);
            requireExactly(new DemoHistory(cut.until(), ZoneOffset.UTC), again);
            requireAMonth(cut.until(), again);
            requireBurst(again);
            requireRamp(cut.until(), again);
            again.stop();
        }
        try (ServiceProcess complete = ServiceProcess.in(directory).with(SWITCH).ready()) {
            double before = complete.metric("flagtally_events_counted_total");
            await(PATIENCE, () -> complete.metric("flagtally_events_counted_total") > before);
            assertFalse(complete.log().contains(HISTORY), complete::log);
            complete.stop();
        }
        try (ServiceProcess off = ServiceProcess.in(directory).ready()) {
            assertEquals(403, get(off, "/v1/environments", KEY).statusCode());
            assertFalse(off.log().contains("The demo"), off::log);
        }
    }

    /** Each hour of the last day has events, and none is a cliff beside the one before. */
    private static boolean livesToday(ServiceProcess service) {
        List<Long> hours = hours(service, FLAG).getOrDefault("all", List.of());
        if (hours.size() <= HOURS) {
            return false;
        }
        List<Long> whole = hours.subList(hours.size() - 1 - HOURS, hours.size() - 1);
        for (int i = 1; i < whole.size(); i++) {
            double step = (double) whole.get(i) / Math.max(1, whole.get(i - 1));
            if (step < 0.6 || step > 1.7) {
                return false;
            }
        }
        return true;
    }

    private static double eventsASecond(ServiceProcess service) throws IOException {
        try (LiveClient client = new LiveClient("/v1/live/evaluation_counts?top=10", KEY)) {
            client.open(service.uri(""));
            double rate = 0;
            for (int i = 0; i < 20 && rate == 0; i++) {
                LiveClient.Message message = client.next(Duration.ofSeconds(10));
                if (message.name().equals("pulse")) {
                    for (JsonNode flag :
                            new ObjectMapper().readTree(message.data()).get("flags")) {
                        rate += flag.path("eventsPerSecond").asDouble();
                    }
                }
            }
            return rate;
        }
    }

    /** Days that nothing late reaches have what was made up for them: nothing was lost, and nothing counted twice. */
    private static void requireExactly(DemoHistory history, ServiceProcess service) {
        LocalDate oldest =
                LocalDate.ofInstant(history.oldestHour(), ZoneOffset.UTC).plusDays(1);
        LocalDate newest = LocalDate.now(ZoneOffset.UTC).minusDays(4);
        Map<LocalDate, Long> made = new TreeMap<>();
        for (Instant hour = oldest.atStartOfDay(ZoneOffset.UTC).toInstant();
                LocalDate.ofInstant(hour, ZoneOffset.UTC).compareTo(newest) <= 0;
                hour = hour.plus(Duration.ofHours(1))) {
            long events = history.hour(hour).values().stream()
                    .flatMap(List::stream)
                    .filter(event -> event.contains("\"featureId\":\"" + FLAG + "\""))
                    .count();
            made.merge(LocalDate.ofInstant(hour, ZoneOffset.UTC), events, Long::sum);
        }
        Map<LocalDate, Long> counted = days(service, FLAG, oldest, newest);
        assertEquals(made, counted);
    }

    private static void requireAMonth(Instant until, ServiceProcess service) {
        YearMonth first = YearMonth.from(until.minus(DemoHistory.SPAN).atZone(ZoneOffset.UTC));
        YearMonth last = YearMonth.now(ZoneOffset.UTC);
        for (JsonNode month : json(service, "/v1/active_users?granularity=MONTH&from=" + first + "&to=" + last)
                .get("steps")) {
            assertTrue(month.get("users").asLong() > 1_000, month::toString);
        }
    }

    private static void requireBurst(ServiceProcess service) {
        Map<String, List<Long>> hours = hours(service, "checkout-flow");
        List<Double> shares = new ArrayList<>();
        List<Long> all = hours.getOrDefault("all", List.of());
        List<Long> served = hours.getOrDefault("default", List.of());
        for (int i = 0; i < all.size(); i++) {
            shares.add(served.get(i) / (double) Math.max(1, all.get(i)));
        }
        assertTrue(Collections.max(shares) > 0.1, shares::toString);
        Collections.sort(shares);
        assertTrue(shares.get(shares.size() / 2) < 0.03, shares::toString);
    }

    private static void requireRamp(Instant until, ServiceProcess service) {
        LocalDate last = LocalDate.ofInstant(until, ZoneOffset.UTC).minusDays(1);
        double early = shareOfOn(service, last.minusDays(12));
        double late = shareOfOn(service, last);
        assertTrue(early < 0.15 && late > 0.5, early + " and " + late);
    }

    private static double shareOfOn(ServiceProcess service, LocalDate day) {
        JsonNode series = json(service, "/v1/evaluation_series?featureId=new-search&from=" + day + "&to=" + day);
        double on = 0;
        double all = 0;
        for (JsonNode variation : series.get("variations")) {
            long events = variation.at("/total/events").asLong();
            all += events;
            on += variation.get("variationId").asText().equals("on") ? events : 0;
        }
        return on / all;
    }

    /** Events of the last hours, the running one last, by variation and of all. */
    private static Map<String, List<Long>> hours(ServiceProcess service, String flag) {
        long now = Instant.now().getEpochSecond();
        LocalDate from = LocalDate.now(ZoneOffset.UTC).minusDays(2);
        JsonNode series = json(service, "/v1/evaluation_series?granularity=HOUR&featureId=" + flag + "&from=" + from);
        Map<String, List<Long>> hours = new TreeMap<>();
        for (int i = 0; i < series.get("buckets").size(); i++) {
            long start = series.get("buckets").get(i).get("unix").asLong();
            if (start > now || start < now - (HOURS + 2) * 3_600) {
                continue;
            }
            long all = 0;
            for (JsonNode variation : series.get("variations")) {
                long events = variation.get("events").get(i).asLong();
                all += events;
                hours.computeIfAbsent(variation.get("variationId").asText(), unused -> new ArrayList<>())
                        .add(events);
            }
            hours.computeIfAbsent("all", unused -> new ArrayList<>()).add(all);
        }
        return hours;
    }

    private static Map<LocalDate, Long> days(ServiceProcess service, String flag, LocalDate from, LocalDate to) {
        JsonNode series = json(
                service, "/v1/evaluation_series?granularity=DAY&featureId=" + flag + "&from=" + from + "&to=" + to);
        Map<LocalDate, Long> days = new TreeMap<>();
        for (int i = 0; i < series.get("buckets").size(); i++) {
            Instant start = Instant.ofEpochSecond(
                    series.get("buckets").get(i).get("unix").asLong());
            for (JsonNode variation : series.get("variations")) {
                days.merge(
                        LocalDate.ofInstant(start, ZoneOffset.UTC),
                        variation.get("events").get(i).asLong(),
                        Long::sum);
            }
        }
        return days;
    }

    private static @Nullable String name(ServiceProcess service) {
        return json(service, "/v1/environments").at("/environments/0/name").textValue();
    }

    private static @Nullable DemoProgress progress(ServiceProcess service) {
        return DemoProgress.of(name(service));
    }

    private static Instant since(ServiceProcess service) {
        DemoProgress progress = progress(service);
        return progress == null ? Instant.MAX : progress.since();
    }

    private static void await(Duration patience, Callable<Boolean> condition) {
        Awaitility.await().atMost(patience).pollInterval(Duration.ofMillis(300)).until(condition);
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
