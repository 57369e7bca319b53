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
 * Ready means: events can be taken in now; without the role {@code ingest}: reads can be answered now; with the role
 * {@code consume} alone: events come from the broker. Reads that cannot be answered say so themselves, so they are told
 * here but do not take the service out of the way of events.
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
        Map<String, String> consume = missing(ProcessRole.CONSUME, Work.CONSUME);
        HealthCheckResponseBuilder answer = HealthCheckResponse.named("accepts events")
                .status(missingOfFirstRole(accept, serve, consume).isEmpty());
        accept.forEach((what, sentence) -> answer.withData("accept " + what, sentence));
        serve.forEach((what, sentence) -> answer.withData("serve " + what, sentence));
        consume.forEach((what, sentence) -> answer.withData("consume " + what, sentence));
        availability.notes().forEach((what, sentence) -> answer.withData("note " + what, sentence));
        return answer.build();
    }

    private Map<String, String> missingOfFirstRole(
            Map<String, String> accept, Map<String, String> serve, Map<String, String> consume) {
        if (roles.contains(ProcessRole.INGEST)) {
            return accept;
        }
        return roles.contains(ProcessRole.SERVE) ? serve : consume;
    }

    private Map<String, String> missing(ProcessRole role, Work work) {
        return roles.contains(role) ? availability.missing(work) : Map.of();
    }
}
