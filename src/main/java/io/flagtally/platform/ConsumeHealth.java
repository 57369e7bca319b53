package io.flagtally.platform;

import io.flagtally.platform.Availability.Work;
import io.smallrye.health.api.HealthGroup;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.util.Map;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.HealthCheckResponseBuilder;

/**
 * Whether events that were taken can be written now, at {@code /q/health/group/consume}. No part of readiness: what waits
 * for a store waits in the broker.
 */
@HealthGroup("consume")
@ApplicationScoped
public class ConsumeHealth implements HealthCheck {

    private final Availability availability;

    @Inject
    ConsumeHealth(Availability availability) {
        this.availability = availability;
    }

    @Override
    public HealthCheckResponse call() {
        Map<String, String> missing = availability.missing(Work.WRITE);
        HealthCheckResponseBuilder answer =
                HealthCheckResponse.named("writes events").status(missing.isEmpty());
        missing.forEach((what, sentence) -> answer.withData("write " + what, sentence));
        return answer.build();
    }
}
