package io.flagtally.platform;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.flagtally.platform.Availability.Work;
import io.flagtally.platform.config.RolesConfig;
import io.flagtally.testing.TestConfigs;
import java.util.Map;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.HealthCheckResponse.Status;
import org.junit.jupiter.api.Test;

/** What is missing takes a process out of the way of that work alone which it does. */
class HealthOfRolesTest {

    private final Availability availability = new Availability();

    @Test
    void ready_brokerGivesNoEvents_isNotSoForOneThatOnlyConsumes() {
        availability.lost(Work.CONSUME, "broker", "the queue is gone");

        HealthCheckResponse consumes = ready("consume").call();
        assertEquals(Status.DOWN, consumes.getStatus());
        assertEquals("the queue is gone", consumes.getData().orElseThrow().get("consume broker"));
        assertEquals(Status.UP, ready("serve").call().getStatus());
        assertEquals(Status.UP, ready("ingest").call().getStatus());
        assertEquals(Status.UP, ready("consume,serve").call().getStatus(), "reads can be answered");
        assertEquals(Status.UP, ready("ingest,consume,serve").call().getStatus(), "events can be taken");

        availability.regained(Work.CONSUME, "broker");
        assertEquals(Status.UP, ready("consume").call().getStatus());
    }

    @Test
    void ready_storeIsAway_staysSoForOneThatOnlyConsumes() {
        availability.lost(Work.WRITE, "redis", "Redis is away");

        assertEquals(Status.UP, ready("consume").call().getStatus(), "events wait in the broker");
    }

    @Test
    void consume_brokerOrStoreMissing_isDownAndSaysWhich() {
        HealthCheck consume = new ConsumeHealth(availability);
        assertEquals(Status.UP, consume.call().getStatus());

        availability.lost(Work.CONSUME, "broker", "the queue is gone");
        assertEquals(Status.DOWN, consume.call().getStatus());
        availability.lost(Work.WRITE, "redis", "Redis is away");

        assertEquals(
                Map.of("consume broker", "the queue is gone", "write redis", "Redis is away"),
                consume.call().getData().orElseThrow());
    }

    private HealthCheck ready(String roles) {
        return new AcceptReadiness(availability, TestConfigs.of(RolesConfig.class, Map.of("flagtally.roles", roles)));
    }
}
