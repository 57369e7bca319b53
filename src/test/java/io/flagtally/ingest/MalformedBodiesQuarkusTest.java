package io.flagtally.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.ingest.MalformedBodies.Malformed;
import io.flagtally.testing.EmbeddedStoresResource;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.net.http.HttpResponse;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Bad bodies get their stated answer, and the service counts on. */
@QuarkusTest
@QuarkusTestResource(EmbeddedStoresResource.class)
class MalformedBodiesQuarkusTest {

    private static final String KEY = "test-server";

    @Inject
    InstantSource clock;

    @Inject
    InFlight inFlight;

    @Test
    void register_malformedBodies_getTheirAnswerAndTheServiceCountsOn() {
        DoorClient door = DoorClient.ofThisTest();
        long now = clock.instant().getEpochSecond();
        List<Malformed> bodies = MalformedBodies.at(now);
        assertTrue(bodies.size() >= 60, bodies.size() + " bodies");

        for (Malformed malformed : bodies) {
            HttpResponse<String> answer = door.register(KEY, malformed.body());

            String seen = malformed.name() + ": " + answer.statusCode() + " "
                    + answer.body().substring(0, Math.min(300, answer.body().length()));
            assertEquals(malformed.status(), answer.statusCode(), seen);
            String message = "\"message\":\"" + malformed.message() + "\"";
            assertTrue(answer.body().contains(message), seen);
            boolean whole = malformed.status() != 200;
            assertTrue(answer.body().startsWith(whole ? "{\"code\":3," : "{\"errors\":{\""), seen);
            assertFalse(answer.body().contains("Exception"), seen);
            assertFalse(answer.body().contains("\\tat "), seen);
            String good = DoorClient.events(DoorClient.evaluation("after", "v", "u", now));
            assertEquals("{\"errors\":{}}", door.register(KEY, good).body(), seen);
        }
        assertEquals(0, inFlight.bytes());
        assertEquals(0, inFlight.messages());
    }
}
