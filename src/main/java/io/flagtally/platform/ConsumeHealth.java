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
 * Whether events that were taken come from the broker and can be written now, at {@code /q/health/group/consume}. What
 * waits for a store waits in the broker, so it is no part of readiness.
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
        Map<String, String> consume = availability.missing(Work.CONSUME);
        Map<String, String> write = availability.missing(Work.WRITE);
        HealthCheckResponseBuilder answer =
                HealthCheckResponse.named("writes events").status(consume.isEmpty() && write.isEmpty());
        consume.forEach((what, sentence) -> answer.withData("consume " + what, sentence));
        write.forEach((what, sentence) -> answer.withData("write " + what, sentence));
        return answer.build();
    }
}
