package io.flagtally.pipeline;

import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.greaterThan;
import static org.hamcrest.Matchers.hasItem;
import static org.hamcrest.Matchers.hasItems;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.flagtally.pipeline.LedgerStore.Hour;
import io.flagtally.pipeline.LedgerStore.LedgerProcess;
import io.flagtally.pipeline.LedgerStore.Sample;
import io.flagtally.testing.EmbeddedStoresResource;
import io.flagtally.testing.LiveEvents;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.RestAssured;
import io.restassured.path.json.JsonPath;
import jakarta.inject.Inject;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

@QuarkusTest
@QuarkusTestResource(EmbeddedStoresResource.class)
class LedgerQuarkusTest {

    @Inject
    LedgerFlush flush;

    @Inject
    LedgerStore store;

    @Inject
    StoreSizes sizes;

    @Test
    void ledger_eventsDuplicatesRefusedAndSetAside_addUp() throws Exception {
        flushed();
        JsonPath before = ledger();
        URI service = URI.create("http://127.0.0.1:" + RestAssured.port);
        long second = Instant.now().getEpochSecond();
        String flag = "ledger-" + UUID.randomUUID();
        List<String> events =
                List.of(LiveEvents.event(flag, "a", "u1", second), LiveEvents.event(flag, "a", "u2", second));

        LiveEvents.send(service, "test-server", events);
        LiveEvents.send(service, "test-server", events);
        LiveEvents.send(service, "test-server", List.of(LiveEvents.event(flag, "a", "u3", second - 40 * 86_400L)));
        flushed();

        JsonPath after = ledger();
        assertEquals(4, grown(before, after, "hours.sum { it.accepted }"));
        assertEquals(4, grown(before, after, "hours.sum { it.delivered }"));
        assertEquals(1, grown(before, after, "hours.sum { it.refused }"));
        for (String sink : List.of("mau", "counts")) {
            String of = "hours.sum { it.sinks.findAll { s -> s.sink == '" + sink + "' }.sum { s -> s.%s } ?: 0 }";
            assertEquals(4, grown(before, after, of.formatted("offered")), sink);
            assertEquals(2, grown(before, after, of.formatted("counted")), sink);
            assertEquals(2, grown(before, after, of.formatted("duplicates")), sink);
            assertEquals(0, after.getLong(of.formatted("unexplained")), sink);
        }
        assertNotEquals("DOES_NOT_ADD_UP", after.getString("hours[0].verdict"));
        assertEquals(2, grown(before, after, "sinceStart.counted"));
        assertEquals(2, grown(before, after, "sinceStart.stored"));
    }

    @Test
    void pipeline_running_tellsItsPartsAndStores() {
        flushed();

        given().header("authorization", "test-read")
                .get("/v1/pipeline")
                .then()
                .statusCode(200)
                .body("zone", equalTo("UTC"))
                .body("instances.size()", greaterThan(0))
                .body("instances[0].instance.length()", equalTo(8))
                .body("stores.store", hasItems("redis", "postgres"))
                .body("stores.find { it.store == 'redis' }.bytes", greaterThan(0))
                .body("stores.find { it.store == 'postgres' }.kinds.kind", hasItem("event_ledger"))
                .body("stores.find { it.store == 'postgres' }.error", equalTo(null));
    }

    @Test
    void faces_refusals_areProblems() {
        for (String path : List.of("/v1/pipeline", "/v1/ledger")) {
            given().get(path).then().statusCode(401);
            given().header("authorization", "test-client").get(path).then().statusCode(403);
        }
        for (String hours : List.of("0", "169", "x")) {
            given().header("authorization", "test-read")
                    .get("/v1/ledger?hours=" + hours)
                    .then()
                    .statusCode(400)
                    .body("detail", containsString("1 to 168"));
        }
    }

    @Test
    void store_repeatedPut_isTheLastOne() {
        Instant hour = Instant.parse("2020-01-01T05:00:00Z");
        LedgerProcess process = new LedgerProcess(UUID.randomUUID().toString(), hour, hour, false, "{}");

        await(store.put(process, Map.of(hour, Map.of("accepted", 3L))));
        await(store.put(process, Map.of(hour, Map.of("accepted", 5L, "delivered", 1L))));

        Hour found = store.hours(hour).await().indefinitely().stream()
                .filter(each -> each.from().equals(hour))
                .findAny()
                .orElseThrow();
        assertEquals(Map.of("accepted", 5L, "delivered", 1L), found.events());
    }

    @Test
    void forget_oldHours_leaveTheBalanceAsItWas() {
        Instant old = Instant.parse("2019-01-01T05:00:00Z");
        LedgerProcess process = new LedgerProcess(UUID.randomUUID().toString(), old, old, true, "{}");
        await(store.put(process, Map.of(old, Map.of("counted/mau", 1_000L))));
        long before = unexplained();

        await(store.forget(old.plus(1, ChronoUnit.DAYS)));

        assertEquals(before, unexplained());
        assertEquals(
                0,
                store.hours(old).await().indefinitely().stream()
                        .filter(each -> each.from().equals(old))
                        .count());
    }

    @Test
    void sizes_sampledBefore_tellTheirGrowth() {
        Instant anHourAgo = Instant.now().minus(Duration.ofHours(2)).truncatedTo(ChronoUnit.SECONDS);
        await(store.putSamples(
                List.of(new Sample(anHourAgo, "growing", "", 100), new Sample(anHourAgo, "growing", "x", 40))));
        List<Sample> samples =
                store.oldestSamples(anHourAgo.minusSeconds(1)).await().indefinitely();

        PipelineResponse.Store grown = PipelineResponse.Store.of(
                "growing",
                new StoreSizeReader.StoreSize(200, 2_600L, List.of(new StoreSizeReader.KindSize("x", 1, 40, false))),
                samples,
                anHourAgo.plus(Duration.ofHours(2)));

        assertEquals(1_200L, grown.growthBytesPerDay());
        assertEquals(2.0, grown.daysUntilFull());
        assertEquals(0L, grown.kinds().get(0).growthBytesPerDay());
    }

    @Test
    void job_run_notesSizes() {
        String told = sizes.run().await().indefinitely();

        assertEquals(true, told.contains("redis: noted ") && told.contains("postgres: noted "), told);
        List<Sample> samples =
                store.oldestSamples(Instant.now().minusSeconds(60)).await().indefinitely();
        assertEquals(true, samples.stream().anyMatch(sample -> sample.store().equals("redis")), samples.toString());
    }

    private long unexplained() {
        LedgerStore.SinceStart start = store.sinceStart().await().indefinitely().orElseThrow();
        return start.stored() - start.counted();
    }

    private void flushed() {
        await(flush.flush());
    }

    private static void await(io.smallrye.mutiny.Uni<Void> work) {
        work.await().indefinitely();
    }

    private static JsonPath ledger() {
        return given().header("authorization", "test-read")
                .get("/v1/ledger?hours=2")
                .then()
                .statusCode(200)
                .extract()
                .jsonPath();
    }

    private static long grown(JsonPath before, JsonPath after, String what) {
        return number(after, what) - number(before, what);
    }

    private static long number(JsonPath json, String what) {
        Number number = json.get(what);
        return number == null ? 0 : number.longValue();
    }
}
