package io.flagtally.platform;

import io.flagtally.platform.Availability.Work;
import io.flagtally.platform.config.ProcessRole;
import io.flagtally.platform.config.RolesConfig;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.util.Map;
import java.util.Set;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.HealthCheckResponseBuilder;
import org.eclipse.microprofile.health.Readiness;

/**
 * Ready means: events can be taken in now; without the role {@code ingest}: reads can be answered now. Reads that cannot be answered say so themselves, so they are told here but do
 * not take the service out of the way of events.
 */
@Readiness
@ApplicationScoped
public class AcceptReadiness implements HealthCheck {

    private final Availability availability;
    private final Set<ProcessRole> roles;

    @Inject
    AcceptReadiness(Availability availability, RolesConfig roles) {
        this.roles = roles.all();
        this.availability = availability;
    }

    @Override
    public HealthCheckResponse call() {
        Map<String, String> accept = missing(ProcessRole.INGEST, Work.ACCEPT);
        Map<String, String> serve = missing(ProcessRole.SERVE, Work.SERVE);
        boolean ready = roles.contains(ProcessRole.INGEST) ? accept.isEmpty() : serve.isEmpty();
        HealthCheckResponseBuilder answer =
                HealthCheckResponse.named("accepts events").status(ready);
        accept.forEach((what, sentence) -> answer.withData("accept " + what, sentence));
        serve.forEach((what, sentence) -> answer.withData("serve " + what, sentence));
        availability.notes().forEach((what, sentence) -> answer.withData("note " + what, sentence));
        return answer.build();
    }

    private Map<String, String> missing(ProcessRole role, Work work) {
        return roles.contains(role) ? availability.missing(work) : Map.of();
    }
}
