package io.flagtally.series.report;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.series.report.MonthlyReport.Environment;
import io.flagtally.series.report.WebhookReceiver.Received;
import io.flagtally.testing.TestConfigs;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.YearMonth;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reports on their way to a receiver that fails, stalls, and loses its replies. */
class ReportJobTest {

    private static final Instant NOW = Instant.parse("2026-11-01T00:00:30Z");
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Vertx VERTX = Vertx.vertx();

    @AfterAll
    static void stop() {
        VERTX.close().toCompletionStage().toCompletableFuture().join();
    }

    @Test
    void run_receiverTakesIt_getsTheMonthBefore() throws IOException {
        try (WebhookReceiver receiver = new WebhookReceiver()) {
            assertEquals("sent the report of 2026-10 on 2 environments", run(receiver.url(), Map.of()));

            JsonNode body = new ObjectMapper().readTree(receiver.received.get(0).body());
            assertAll(
                    () -> assertEquals(1, receiver.received.size()),
                    () -> assertEquals("monthly_report", body.get("type").asText()),
                    () -> assertEquals("2026-10", body.get("month").asText()),
                    () -> assertEquals("UTC", body.get("zone").asText()),
                    () -> assertEquals(
                            "Production", body.at("/environments/0/name").asText()),
                    () -> assertEquals(1234, body.at("/environments/0/users").asLong()),
                    () -> assertEquals(9876, body.at("/environments/0/events").asLong()),
                    () -> assertEquals(7, body.get("environmentsLeftOut").asLong()),
                    () -> assertEquals(
                            body.get("id").asText(), receiver.received.get(0).header("Idempotency-Key")),
                    () -> assertEquals("", receiver.received.get(0).header("Flagtally-Signature")));
        }
    }

    @Test
    void run_receiverFailsLosesAndStalls_isAskedAgainWithOneKey() throws IOException {
        try (WebhookReceiver receiver =
                new WebhookReceiver(500, WebhookReceiver.LOSE_REPLY, WebhookReceiver.STALL, 429)) {
            String done = run(receiver.url(), Map.of("timeout", "1s"));

            assertEquals("sent the report of 2026-10 on 2 environments", done);
            assertEquals(5, receiver.received.size());
            assertEquals(
                    1,
                    receiver.received.stream()
                            .map(each -> each.header("Idempotency-Key"))
                            .distinct()
                            .count());
        }
    }

    @Test
    void run_receiverNeverTakesIt_failsAfterItsAttemptsAndSaysWhy() throws IOException {
        try (WebhookReceiver receiver = new WebhookReceiver(500, 502, 503, 500, 500, 500)) {
            ReportRefusedException failure =
                    assertThrows(ReportRefusedException.class, () -> run(receiver.url(), Map.of("attempts-max", "3")));

            assertEquals("127.0.0.1 answered 503", failure.toString());
            assertEquals(3, receiver.received.size());
        }
    }

    @Test
    void run_receiverRefusesForGoodOrRedirects_isNotAskedAgain() throws IOException {
        for (int status : new int[] {400, 404, 302}) {
            try (WebhookReceiver receiver = new WebhookReceiver(status)) {
                assertThrows(ReportRefusedException.class, () -> run(receiver.url(), Map.of()));
                assertEquals(1, receiver.received.size());
            }
        }
    }

    @Test
    void run_nobodyListens_saysSo() throws IOException {
        int free;
        try (ServerSocket socket = new ServerSocket(0)) {
            free = socket.getLocalPort();
        }
        URI nobody = URI.create("http://127.0.0.1:" + free + "/");

        ReportRefusedException failure =
                assertThrows(ReportRefusedException.class, () -> run(nobody, Map.of("attempts-max", "2")));
        assertTrue(failure.toString().contains("cannot be reached"), failure.toString());
    }

    @Test
    void run_withASecret_isSignedOverTimeAndBody(@TempDir Path folder) throws Exception {
        Path secret = Files.writeString(folder.resolve("secret"), "whsec-of-tests\n");
        try (WebhookReceiver receiver = new WebhookReceiver(500)) {
            run(receiver.url(), Map.of("webhooks.team.secret-file", secret.toString()));

            for (Received each : receiver.received) {
                Mac mac = Mac.getInstance("HmacSHA256");
                mac.init(new SecretKeySpec("whsec-of-tests".getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
                String signed =
                        each.header("Flagtally-Timestamp") + "." + new String(each.body(), StandardCharsets.UTF_8);
                assertEquals(
                        "v1=" + HexFormat.of().formatHex(mac.doFinal(signed.getBytes(StandardCharsets.UTF_8))),
                        each.header("Flagtally-Signature"));
                assertEquals(Long.toString(NOW.getEpochSecond()), each.header("Flagtally-Timestamp"));
            }
        }
        byte[] body = "{}".getBytes(StandardCharsets.UTF_8);
        assertNotEquals(ReportSignature.of("a", 1, body), ReportSignature.of("b", 1, body));
        assertNotEquals(ReportSignature.of("a", 1, body), ReportSignature.of("a", 2, body));
    }

    @Test
    void run_missingSecretFileOrUrl_namesTheKey() {
        ReportRefusedException file = assertThrows(
                ReportRefusedException.class,
                () -> run(URI.create("http://127.0.0.1:1/"), Map.of("webhooks.team.secret-file", "/nowhere/at-all")));
        ReportRefusedException url =
                assertThrows(ReportRefusedException.class, () -> run(null, Map.of("webhooks.team.format", "SLACK")));

        assertTrue(file.toString().contains("flagtally.report.webhooks.team.secret-file"), file.toString());
        assertTrue(url.toString().contains("flagtally.report.webhooks.team.url"), url.toString());
    }

    @Test
    void run_fileWithoutAUrl_namesTheKeyAndNotTheSecret(@TempDir Path folder) throws IOException {
        for (String text : List.of("https://hooks.example/top secret", "hooks.example/secret", "file://secret/x", "")) {
            Path file = Files.writeString(folder.resolve("url"), text);

            ReportRefusedException failure = assertThrows(
                    ReportRefusedException.class, () -> run(null, Map.of("webhooks.team.url-file", file.toString())));

            assertTrue(failure.toString().contains("flagtally.report.webhooks.team.url-file"), failure.toString());
            assertFalse(failure.toString().contains("secret"), failure.toString());
        }
    }

    @Test
    void run_urlFromAFileToSlack_isAMessage(@TempDir Path folder) throws IOException {
        try (WebhookReceiver receiver = new WebhookReceiver()) {
            Path url = Files.writeString(folder.resolve("url"), receiver.url() + "\n");
            String unused =
                    run(null, Map.of("webhooks.team.format", "SLACK", "webhooks.team.url-file", url.toString()));

            String text = new ObjectMapper()
                    .readTree(receiver.received.get(0).body())
                    .get("text")
                    .asText();
            assertEquals(
                    "*Active users in October 2026* (UTC)\n\u2022 Production: 1,234 users, 9,876 events"
                            + "\n\u2022 &lt;b&gt; &amp; c: 0 users, 3 events"
                            + "\nand 7 more environments",
                    text);
        }
    }

    @Test
    void slot_inTheZoneOfTheInstallation_isTheMonthBefore() {
        ReportConfig config = config(URI.create("http://127.0.0.1:1/"), Map.of());
        Instant lastHour = Instant.parse("2026-10-31T15:00:00Z");

        assertEquals("2026-09", job(config, ZoneOffset.UTC).slot(lastHour));
        assertEquals("2026-10", job(config, ZoneId.of("Asia/Tokyo")).slot(lastHour));
        assertEquals("2026-10", job(config, ZoneOffset.UTC).slot(Instant.parse("2026-11-17T00:00:00Z")));
        assertFalse(job(config, ZoneOffset.UTC).every().isEmpty());
    }

    private static String run(@Nullable URI url, Map<String, String> keys) {
        return job(config(url, keys), ZoneOffset.UTC).run().await().atMost(PATIENCE);
    }

    private static ReportJob job(ReportConfig config, ZoneId zone) {
        InstantSource clock = InstantSource.fixed(NOW);
        return new ReportJob(
                "team",
                config,
                ReportJobTest::report,
                new ReportWebhook(VERTX, config, clock),
                new BucketCalendar(zone),
                clock,
                new ObjectMapper());
    }

    private static Uni<MonthlyReport> report(YearMonth month) {
        return Uni.createFrom()
                .item(new MonthlyReport(
                        month,
                        "UTC",
                        List.of(
                                new Environment("production", "Production", 1234L, 9876, true),
                                new Environment("<b> & c", null, 0L, 3, false)),
                        7));
    }

    private static ReportConfig config(@Nullable URI url, Map<String, String> keys) {
        Map<String, String> all = new HashMap<>();
        all.put("flagtally.report.backoff", "10ms");
        if (url != null) {
            all.put("flagtally.report.webhooks.team.url", url.toString());
        }
        keys.forEach((key, value) -> all.put("flagtally.report." + key, value));
        return TestConfigs.of(ReportConfig.class, all);
    }
}
