package io.flagtally.store.redis;

import io.flagtally.platform.Availability;
import io.flagtally.platform.config.ProcessRole;
import io.flagtally.platform.config.RolesConfig;
import io.flagtally.platform.redis.RedisConfig;
import io.flagtally.platform.redis.RedisPlace;
import io.quarkus.runtime.StartupEvent;
import io.vertx.mutiny.core.Vertx;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.Disposes;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.time.Duration;

/** Has one {@link RedisReadLink} for the process, looked after from its start to its end. */
final class RedisReadLinkProducer {

    /** Below the time-out of a read ({@code flagtally.series.read-timeout}), so that the answer can name Redis. */
    private static final Duration TIMEOUT = Duration.ofSeconds(3);

    @Produces
    @Singleton
    RedisReadLink link(Vertx vertx, RedisConfig config, Availability availability) {
        return new RedisReadLink(vertx, RedisPlace.of(config), TIMEOUT, availability);
    }

    void start(@Observes StartupEvent started, RolesConfig roles, RedisReadLink link) {
        if (roles.all().contains(ProcessRole.SERVE)) {
            link.open();
        }
    }

    void stop(@Disposes RedisReadLink link) {
        link.close();
    }
}
