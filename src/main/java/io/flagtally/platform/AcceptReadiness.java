package io.flagtally.platform;

import io.flagtally.platform.Availability.Work;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.util.Map;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.HealthCheckResponseBuilder;
import org.eclipse.microprofile.health.Readiness;

/**
 * Ready means: events can be taken in now. Reads that cannot be answered say so themselves, so they are told here but do
 * not take the service out of the way of events.
 */
@Readiness
@ApplicationScoped
public class AcceptReadiness implements HealthCheck {

    private final Availability availability;

    @Inject
    AcceptReadiness(Availability availability) {
        this.availability = availability;
    }

    @Override
    public HealthCheckResponse call() {
        Map<String, String> accept = availability.missing(Work.ACCEPT);
        HealthCheckResponseBuilder answer =
                HealthCheckResponse.named("accepts events").status(accept.isEmpty());
        accept.forEach((what, sentence) -> answer.withData("accept " + what, sentence));
        availability.missing(Work.SERVE).forEach((what, sentence) -> answer.withData("serve " + what, sentence));
        availability.notes().forEach((what, sentence) -> answer.withData("note " + what, sentence));
        return answer.build();
    }
}
