package io.flagtally.store.redis;

import io.flagtally.pipeline.BatchSink;
import io.flagtally.pipeline.DeduplicationConfig;
import io.flagtally.platform.Availability;
import io.flagtally.platform.config.ProcessRole;
import io.flagtally.platform.config.RolesConfig;
import io.flagtally.platform.config.TimeConfig;
import io.flagtally.platform.redis.RedisConfig;
import io.flagtally.platform.redis.RedisDurability;
import io.flagtally.platform.redis.RedisPlace;
import io.flagtally.platform.redis.UnfitRedisException;
import io.flagtally.rollup.BucketCalendar;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.StartupEvent;
import io.vertx.mutiny.core.Vertx;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.Disposes;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/** Makes the writing side from the configuration, and opens its connection at the start. */
@ApplicationScoped
public class RedisWrites {

    private static final Logger LOG = Logger.getLogger(RedisWrites.class);

    /** Before what takes events in. */
    private static final int EARLY = 100;

    @Produces
    @Singleton
    RedisLink link(
            Vertx vertx,
            RedisConfig redis,
            TimeConfig time,
            InstantSource clock,
            MeterRegistry meters,
            Availability availability) {
        return new RedisLink(
                vertx,
                RedisPlace.of(redis),
                redis.flushTimeout(),
                time.zone(),
                RedisDurability.of(redis),
                clock,
                meters,
                availability);
    }

    void close(@Disposes RedisLink link) {
        link.close();
    }

    @Produces
    @Singleton
    BatchSink sink(
            RedisLink link,
            RedisKeys keys,
            TimeConfig time,
            CountsConfig counts,
            DeduplicationConfig deduplication,
            InstantSource clock,
            MeterRegistry meters) {
        return new RedisCountSink(
                link, keys, new BucketCalendar(time.zone()), CountRules.of(counts, deduplication), clock, meters);
    }

    /**
     * Opens the connection. A Redis of another installation, or one that cannot do what is configured, stops the start, or
     * the process if it turns up later; one that is away does neither.
     */
    void start(@Observes @Priority(EARLY) StartupEvent event, RolesConfig roles, RedisLink link) {
        if (!roles.all().contains(ProcessRole.CONSUME)) {
            return;
        }
        AtomicBoolean starting = new AtomicBoolean(true);
        AtomicReference<@Nullable UnfitRedisException> unfit = new AtomicReference<>();
        link.onUnfit(found -> {
            unfit.set(found);
            if (!starting.get()) {
                LOG.fatal(found.getMessage());
                Quarkus.asyncExit(1);
            }
        });
        link.open().onFailure().recoverWithNull().await().indefinitely();
        starting.set(false);
        UnfitRedisException found = unfit.get();
        if (found != null) {
            throw found;
        }
    }
}
