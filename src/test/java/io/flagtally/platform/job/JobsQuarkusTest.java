package io.flagtally.platform.job;

import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.greaterThanOrEqualTo;
import static org.hamcrest.Matchers.matchesRegex;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.flagtally.testing.EmbeddedStoresResource;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

@QuarkusTest
@QuarkusTestResource(EmbeddedStoresResource.class)
class JobsQuarkusTest {

    @Test
    void run_eachJob_isListedWithItsRun() {
        for (String job : List.of("partitions", "counter-sweep")) {
            given().header("authorization", "test-admin")
                    .post("/v1/batch/jobs/" + job)
                    .then()
                    .statusCode(200)
                    .body("outcome", equalTo("OK"));

            given().header("authorization", "test-read")
                    .get("/v1/batch/jobs")
                    .then()
                    .statusCode(200)
                    .body("jobs.find { it.name == '" + job + "' }.lastRun.outcome", equalTo("OK"))
                    .body("jobs.find { it.name == '" + job + "' }.lastRun.durationMillis", greaterThanOrEqualTo(0))
                    .body("jobs.find { it.name == '" + job + "' }.every", equalTo("PT1H"));
        }
    }

    @Test
    void run_reportToAWebhook_isSent() {
        given().header("authorization", "test-admin")
                .post("/v1/batch/jobs/report-test")
                .then()
                .statusCode(200)
                .body("detail", containsString("sent the report of"));

        given().header("authorization", "test-read")
                .get("/v1/batch/jobs")
                .then()
                .body("jobs.find { it.name == 'report-test' }.every", equalTo("P1M"));
    }

    /** A webhook without a URL. */
    @Test
    void run_jobThatFails_isToldApartFromOurFaultsAndSeenInMetrics() {
        given().header("authorization", "test-admin")
                .post("/v1/batch/jobs/report-nowhere")
                .then()
                .statusCode(502)
                .body("code", equalTo("JOB_FAILED"))
                .body("detail", containsString("flagtally.report.webhooks.nowhere.url"));

        given().header("authorization", "test-read")
                .get("/v1/batch/jobs")
                .then()
                .body("jobs.find { it.name == 'report-nowhere' }.lastRun.outcome", equalTo("FAILED"));
        given().get("/q/metrics")
                .then()
                .body(
                        matchesRegex(
                                "(?s).*flagtally_store_jobs_seconds_count\\{job=\"report-nowhere\",outcome=\"failed\"\\} [1-9].*"));
    }

    @Test
    void run_unknownJobOrLowRole_isRefused() {
        given().header("authorization", "test-admin")
                .post("/v1/batch/jobs/coffee")
                .then()
                .statusCode(404)
                .body("code", equalTo("NOT_FOUND"))
                .body("detail", containsString("partitions"));
        given().header("authorization", "test-read")
                .post("/v1/batch/jobs/partitions")
                .then()
                .statusCode(403);
        given().get("/v1/batch/jobs").then().statusCode(401);
    }

    @Test
    void slot_anHour_isItsBegin() {
        assertEquals(
                "2026-11-21T12:00:00Z", JobSchedule.slot(Duration.ofHours(1), Instant.parse("2026-11-21T12:59:59Z")));
    }
}
