package io.flagtally.platform;

import io.flagtally.platform.config.OfRole;
import io.flagtally.platform.config.ProcessRole;
import io.flagtally.platform.config.RolesConfig;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import jakarta.inject.Inject;
import jakarta.ws.rs.container.ResourceInfo;
import java.util.Locale;
import java.util.Set;
import org.jboss.resteasy.reactive.server.ServerRequestFilter;

/** Answers 404 where a role is asked for that this process does not have. */
public final class RoleDoors {

    private static final ClassValue<Set<ProcessRole>> ROLE = new ClassValue<>() {
        @Override
        protected Set<ProcessRole> computeValue(Class<?> resource) {
            OfRole own = resource.getAnnotation(OfRole.class);
            OfRole ofPackage = resource.getPackage().getAnnotation(OfRole.class);
            return own != null ? Set.of(own.value()) : ofPackage != null ? Set.of(ofPackage.value()) : Set.of();
        }
    };

    private final Set<ProcessRole> roles;

    @Inject
    RoleDoors(RolesConfig config) {
        roles = config.all();
    }

    @ServerRequestFilter
    void require(ResourceInfo resource) {
        for (ProcessRole role : ROLE.get(resource.getResourceClass())) {
            if (!roles.contains(role)) {
                throw refusal(role);
            }
        }
    }

    /** What a process without {@code role} answers at a door of it. */
    public static RefusedException refusal(ProcessRole role) {
        return new RefusedException(
                ErrorCode.NOT_FOUND,
                "This process does not have the role " + role.name().toLowerCase(Locale.ROOT)
                        + "; another one answers here, or flagtally.roles is to name it.");
    }
}
