package io.flagtally.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.flagtally.codec.BucketeerCodec;
import io.flagtally.codec.EventCodec;
import io.flagtally.codec.MalformedEventException;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.EvaluationEvent;
import io.flagtally.event.FlagEvent;
import io.flagtally.event.SourceId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class DemoTrafficTest {

    private static final Instant NOW = Instant.parse("2026-11-21T15:00:00Z");
    private static final int VISITS = 4_000;

    private final DemoTraffic traffic = new DemoTraffic(new Random(7), ZoneOffset.UTC);

    @Test
    void visitsASecond_dayAndNight_followTheZone() {
        DemoRhythm utc = new DemoRhythm(ZoneOffset.UTC);
        DemoRhythm tokyo = new DemoRhythm(ZoneId.of("Asia/Tokyo"));
        Instant evening = Instant.parse("2026-11-18T19:00:00Z");

        assertTrue(utc.visitsASecond(evening) > 3.5 * utc.visitsASecond(Instant.parse("2026-11-18T04:00:00Z")));
        assertTrue(tokyo.visitsASecond(evening) < tokyo.visitsASecond(Instant.parse("2026-11-18T10:00:00Z")) / 3.5);
    }

    @Test
    void visitsASecond_weekend_isQuieter() {
        DemoRhythm rhythm = new DemoRhythm(ZoneOffset.UTC);

        assertTrue(rhythm.visitsASecond(Instant.parse("2026-11-21T12:00:00Z"))
                < 0.9 * rhythm.visitsASecond(Instant.parse("2026-11-20T12:00:00Z")));
    }

    @Test
    void visitsASecond_fromHourToHour_haveNoCliff() {
        DemoRhythm rhythm = new DemoRhythm(ZoneOffset.UTC);
        for (int hour = 0; hour < 7 * 24; hour++) {
            double step = rhythm.visitsASecond(NOW.plus(Duration.ofHours(hour + 1)))
                    / rhythm.visitsASecond(NOW.plus(Duration.ofHours(hour)));
            assertTrue(step > 0.65 && step < 1.5, step + " after " + hour + " hours");
        }
    }

    @Test
    void arrivals_quietestTenSeconds_areNeverNone() {
        Instant night = Instant.parse("2026-11-21T03:30:00Z");
        for (int ten = 0; ten < 360; ten++) {
            int visits = 0;
            for (int tick = 0; tick < 22; tick++) {
                visits += traffic.arrivals(night.plusSeconds(10L * ten), Duration.ofMillis(450), 1);
            }
            assertTrue(visits > 0, "at " + ten);
        }
    }

    @Test
    void size_fromDayToDay_growsWithoutACliff() {
        for (int hour = 0; hour < 31 * 24; hour++) {
            double later = DemoRhythm.size(Duration.ofHours(hour));
            double before = DemoRhythm.size(Duration.ofHours(hour + 1));
            assertTrue(before <= later && before > 0.98 * later, hour + " hours ago");
        }
        assertEquals(1, DemoRhythm.size(Duration.ofHours(48)), "history of these days is as dense as what happens now");
    }

    @Test
    void users_ofADay_areFewOfThoseOfAMonth() {
        Set<String> ofDay = new HashSet<>();
        Set<String> ofMonth = new HashSet<>();
        for (int day = 0; day < 20; day++) {
            Instant time = NOW.minus(Duration.ofDays(day));
            for (int i = 0; i < 20_000; i++) {
                for (List<String> events : traffic.visit(time, Duration.ZERO).values()) {
                    for (String event : events) {
                        String user = event.replaceAll(".*\"userId\":\"([^\"]+)\".*", "$1");
                        ofMonth.add(user);
                        if (day == 0) {
                            ofDay.add(user);
                        }
                    }
                }
            }
        }
        assertTrue(ofDay.size() > 4_000, "of a day " + ofDay.size());
        assertTrue(ofMonth.size() > 2 * ofDay.size(), ofDay.size() + " a day, " + ofMonth.size() + " in twenty");
    }

    @Test
    void visit_newFlag_rampsUp() {
        double early = share(evaluations("new-search", NOW.minus(Duration.ofDays(14))), "on");
        double late = share(evaluations("new-search", NOW.minus(Duration.ofHours(2))), "on");

        assertTrue(early < 0.1, "on day 2 " + early);
        assertTrue(late > 0.5, "on the last day " + late);
        assertEquals(
                0, evaluations("new-search", NOW.minus(Duration.ofDays(20))).size());
    }

    @Test
    void visit_errorBurst_isOfOneVariation() {
        List<EvaluationEvent> calm = evaluations("checkout-flow", NOW.minus(Duration.ofDays(5)));
        for (Duration ago : List.of(Duration.ofHours(9 * 24 + 3), Duration.ofHours(6))) {
            List<EvaluationEvent> burst = evaluations("checkout-flow", NOW.minus(ago));

            assertTrue(share(burst, "default") > 0.1, "served by default in the burst");
            assertTrue(share(burst, "express") < 0.2, "at the cost of express");
            assertEquals(share(calm, "classic"), share(burst, "classic"), 0.05);
        }
        assertTrue(share(calm, "default") < 0.02);
    }

    @Test
    void history_hourAskedForAgain_isTheSame() {
        Instant hour = Instant.parse("2026-11-20T10:00:00Z");

        assertEquals(history(NOW).hour(hour), history(NOW).hour(hour));
        assertNotEquals(
                history(NOW).hour(hour), history(NOW.minusSeconds(1)).hour(hour), "another demo has other events");
    }

    @Test
    void history_lastHour_isAsDenseAsWhatHappensNowAndEndsWithTheStart() {
        Instant half = NOW.plusSeconds(1_800);
        long whole = events(history(NOW).hour(NOW.minusSeconds(3_600)));
        long cut = events(history(half).hour(NOW));
        long now = 0;
        for (int second = 0; second < 3_600; second++) {
            Instant time = NOW.minusSeconds(3_600 - second);
            int visits = traffic.arrivals(time, Duration.ofSeconds(1), 1);
            for (int i = 0; i < visits; i++) {
                now += events(traffic.visit(time, Duration.ZERO));
            }
        }
        assertEquals(1, (double) whole / now, 0.03);
        assertEquals(0.5, (double) cut / whole, 0.1);
    }

    @Test
    void progress_inTheName_isFoundAgain() {
        DemoProgress progress = DemoProgress.begin(NOW).back(NOW.minusSeconds(7_200));

        assertEquals(progress, DemoProgress.of(progress.name()));
        assertNull(DemoProgress.of(DemoRun.SHOP));
        assertNull(DemoProgress.of(null));
        assertTrue(progress.name().length() < 255);
    }

    @Test
    void host_ofEveryKind_canBeReached() {
        assertEquals("127.0.0.1", DemoDoor.host(null));
        assertEquals("127.0.0.1", DemoDoor.host("0.0.0.0"));
        assertEquals("[::1]", DemoDoor.host("::"));
        assertEquals("[::1]", DemoDoor.host("::1"));
        assertEquals("127.0.0.1", DemoDoor.host("127.0.0.1"));
        assertEquals("localhost", DemoDoor.host("localhost"));
    }

    @Test
    void labels_all_areOneRequest() throws IOException {
        JsonNode labels =
                new ObjectMapper().readTree(DemoFlag.labels("Demo shop")).get("labels");

        assertTrue(labels.size() > DemoFlag.ALL.size());
        assertEquals("ENVIRONMENT", labels.get(0).get("kind").asText());
    }

    private static DemoHistory history(Instant until) {
        return new DemoHistory(until, ZoneOffset.UTC);
    }

    private static long events(Map<Integer, List<String>> bySource) {
        return bySource.values().stream().mapToLong(List::size).sum();
    }

    private static double share(List<EvaluationEvent> all, String variation) {
        return all.stream()
                        .filter(event -> event.variation().value().equals(variation))
                        .count()
                / (double) all.size();
    }

    /** What the codec of the service reads of many visits at {@code time}. */
    private List<EvaluationEvent> evaluations(String flag, Instant time) {
        List<EvaluationEvent> all = new ArrayList<>();
        for (int i = 0; i < VISITS; i++) {
            traffic.visit(time, Duration.between(time, NOW)).forEach((source, events) -> {
                byte[] lines = String.join("\n", events).getBytes(StandardCharsets.UTF_8);
                new BucketeerCodec()
                        .decode(lines, new EnvironmentId("demo"), SourceId.JAVASCRIPT, new EventCodec.Visitor() {
                            @Override
                            public void event(FlagEvent event, int offset, int length) {
                                if (event instanceof EvaluationEvent evaluation
                                        && evaluation.flag().value().equals(flag)) {
                                    all.add(evaluation);
                                }
                            }

                            @Override
                            public void malformed(MalformedEventException e, int offset, int length) {
                                throw new AssertionError(e);
                            }
                        });
            });
        }
        return all;
    }
}
