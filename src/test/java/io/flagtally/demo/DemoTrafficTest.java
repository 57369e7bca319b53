package io.flagtally.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class DemoTrafficTest {

    private static final Instant NOW = Instant.parse("2026-11-21T15:00:00Z");
    private static final int VISITS = 4_000;

    private final DemoTraffic traffic = new DemoTraffic(new Random(7), ZoneOffset.UTC);

    @Test
    void visitsASecond_dayAndNight_followTheZone() {
        Instant evening = Instant.parse("2026-11-18T19:00:00Z");
        Instant night = Instant.parse("2026-11-18T04:00:00Z");
        DemoTraffic tokyo = new DemoTraffic(new Random(7), ZoneId.of("Asia/Tokyo"));

        assertTrue(traffic.visitsASecond(evening, 1) > 4 * traffic.visitsASecond(night, 1));
        assertTrue(tokyo.visitsASecond(evening, 1) < tokyo.visitsASecond(Instant.parse("2026-11-18T10:00:00Z"), 1) / 4);
    }

    @Test
    void visitsASecond_weekend_isQuieter() {
        assertTrue(traffic.visitsASecond(Instant.parse("2026-11-21T12:00:00Z"), 1)
                < traffic.visitsASecond(Instant.parse("2026-11-20T12:00:00Z"), 1));
    }

    @Test
    void arrivals_manyTimes_haveTheExpectedMean() {
        long sum = 0;
        for (int i = 0; i < 10_000; i++) {
            sum += traffic.arrivals(3);
        }
        assertEquals(3.0, sum / 10_000.0, 0.1);
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
        List<EvaluationEvent> burst = evaluations("checkout-flow", NOW.minus(Duration.ofHours(9 * 24 + 3)));
        List<EvaluationEvent> calm = evaluations("checkout-flow", NOW.minus(Duration.ofDays(5)));

        assertTrue(share(burst, "default") > 0.1, "served by default in the burst");
        assertTrue(share(burst, "express") < 0.2, "at the cost of express");
        assertEquals(share(calm, "classic"), share(burst, "classic"), 0.05);
        assertTrue(share(calm, "default") < 0.02);
    }

    @Test
    void labels_all_areOneRequest() throws IOException {
        JsonNode labels = new ObjectMapper().readTree(DemoFlag.labels()).get("labels");

        assertTrue(labels.size() > DemoFlag.ALL.size());
        assertEquals("ENVIRONMENT", labels.get(0).get("kind").asText());
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
            traffic.visit(time, NOW).forEach((source, events) -> {
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
