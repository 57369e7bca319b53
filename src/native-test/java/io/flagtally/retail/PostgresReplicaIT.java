package io.flagtally.retail;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.packaged.ServiceProcess;
import io.flagtally.platform.embedded.LoopbackPort;
import io.flagtally.testing.PostgresReplicaForTests;
import io.flagtally.testing.PostgresServerForTests;
import io.flagtally.testing.RedisServerForTests;
import io.flagtally.testing.TestData;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The packaged service with a replica: reads come from it and say as of when, and from the primary while it is away. */
class PostgresReplicaIT {

    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final String AS_OF = "flagtally-as-of";

    @Test
    void read_withAReplica_saysAsOfWhenAndGoesToThePrimaryWhileItIsAway() {
        try (PostgresServerForTests primary = PostgresServerForTests.start();
                PostgresReplicaForTests replica = PostgresReplicaForTests.of(primary);
                RedisServerForTests redis = RedisServerForTests.start();
                ServiceProcess service = FaultyRun.service(
                                TestData.newDirectory("replica-service"), LoopbackPort.free(), url(primary.port()))
                        .with("-Dflagtally.postgres.replica-url=" + url(replica.port()))
                        .with("-Dflagtally.redis.url=" + redis.url())
                        .with("-Dflagtally.security.api-keys.admin.key=admin")
                        .with("-Dflagtally.security.api-keys.admin.roles=ADMIN")
                        .ready()) {
            Instant before = Instant.now();
            HttpResponse<String> imported = service.send(HttpRequest.newBuilder(service.uri("/v1/import"))
                    .header("authorization", "admin")
                    .POST(HttpRequest.BodyPublishers.ofString(event())));
            assertTrue(imported.body().contains("\"counted\":1,"), imported::body);

            await().atMost(PATIENCE).until(() -> {
                HttpResponse<String> answer = month(service);
                return answer.body().contains("\"userCount\":\"1\"")
                        && answer.headers()
                                .firstValue(AS_OF)
                                .map(Instant::parse)
                                .filter(asOf -> asOf.isAfter(before))
                                .isPresent();
            });

            replica.kill();
            HttpResponse<String> fromPrimary = month(service);
            assertTrue(fromPrimary.headers().firstValue(AS_OF).isEmpty(), "it is not there");
            assertTrue(fromPrimary.body().contains("\"userCount\":\"1\""), fromPrimary::body);
        }
    }

    private static HttpResponse<String> month(ServiceProcess service) {
        HttpResponse<String> answer = service.send(HttpRequest.newBuilder(service.uri("/v1/mau_count?yearMonth=200905"))
                .header("authorization", "admin"));
        assertEquals(200, answer.statusCode(), answer::body);
        return answer;
    }

    private static String url(int port) {
        return "postgresql://" + LoopbackPort.HOST + ":" + port + "/postgres";
    }

    private static String event() {
        return "{\"id\":\"" + UUID.randomUUID() + "\",\"event\":{\"@type\":"
                + "\"type.googleapis.com/bucketeer.event.client.EvaluationEvent\",\"timestamp\":"
                + Instant.parse("2009-05-17T12:00:00Z").getEpochSecond()
                + ",\"featureId\":\"flag\",\"variationId\":\"v\",\"userId\":\"anna\","
                + "\"reason\":{\"type\":\"RULE\"},\"sourceId\":\"WEB\"}}";
    }
}
