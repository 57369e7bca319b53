package io.flagtally.store.postgres;

import io.flagtally.pipeline.BatchSink;
import io.flagtally.pipeline.DeduplicationConfig;
import io.flagtally.platform.Availability;
import io.flagtally.platform.Availability.Work;
import io.flagtally.platform.config.ProcessRole;
import io.flagtally.platform.config.RolesConfig;
import io.flagtally.platform.config.TimeConfig;
import io.flagtally.platform.job.Job;
import io.flagtally.rollup.BucketCalendar;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Pool;
import io.vertx.mutiny.sqlclient.Tuple;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.InstantSource;
import java.time.ZoneId;
import org.jboss.logging.Logger;

/** Makes the writing side from the configuration, checks at the start whose tables these are, and watches the server. */
@ApplicationScoped
public class PostgresWrites {

    private static final Logger LOG = Logger.getLogger(PostgresWrites.class);

    /** Before what takes events in. */
    private static final int EARLY = 100;

    /** The availability entry of the server. */
    private static final String POSTGRESQL = "postgresql";

    private static final Duration PROBE_TIMEOUT = Duration.ofSeconds(2);
    private static final Duration START_TIMEOUT = Duration.ofSeconds(30);

    /** Flushes under way have ended by then. */
    private static final Duration DETACH_WAIT = Duration.ofSeconds(15);

    private static final String FIX_ZONE =
            "insert into installation (name, value) values ('time-zone', $1) on conflict (name) do nothing";

    private final Pool pool;
    private final Availability availability;
    private final boolean writes;
    private final boolean serves;
    private final boolean replica;
    private boolean lost;

    @Inject
    PostgresWrites(Pool pool, Availability availability, RolesConfig roles, PostgresConfig config) {
        this.pool = pool;
        this.availability = availability;
        this.writes = roles.all().contains(ProcessRole.CONSUME);
        this.serves = roles.all().contains(ProcessRole.SERVE);
        this.replica = config.replicaUrl().isPresent();
    }

    @Produces
    @Singleton
    BatchSink sink(
            MauConfig mau,
            DeduplicationConfig deduplication,
            TimeConfig time,
            InstantSource clock,
            MeterRegistry meters) {
        return new PostgresActiveUsersSink(
                pool,
                new BucketCalendar(time.zone()),
                new ActiveUsersRules(deduplication.enabled(), mau.shards(), mau.flushTimeout()),
                clock,
                meters);
    }

    @Produces
    @Singleton
    Job partitions(MauConfig mau, TimeConfig time, InstantSource clock) {
        return new PartitionJob(
                pool,
                new BucketCalendar(time.zone()),
                new PartitionJob.Retention(mau.retentionMonths(), mau.eventIdsRetention(), DETACH_WAIT),
                clock);
    }

    /** Values that make no sense, and tables of another installation, stop the start. */
    void start(@Observes @Priority(EARLY) StartupEvent event, TimeConfig time, MauConfig mau) {
        if (!writes) {
            return;
        }
        mau.requireSound();
        String stored = pool.preparedQuery(FIX_ZONE)
                .execute(Tuple.of(time.zone().getId()))
                .chain(fixed -> pool.query("select value from installation where name = 'time-zone'")
                        .execute())
                .map(rows -> rows.iterator().next().getString(0))
                .await()
                .atMost(START_TIMEOUT);
        if (!cutsAlike(time.zone(), stored)) {
            throw new ConfigurationException("flagtally.time.zone is " + time.zone() + ", but the months in this"
                    + " PostgreSQL were cut by " + stored + "; set flagtally.time.zone to " + stored
                    + ", or use an empty database");
        }
    }

    @Scheduled(identity = POSTGRESQL, every = "1s", concurrentExecution = ConcurrentExecution.SKIP)
    Uni<Void> probe() {
        if (!writes && !serves) {
            return Uni.createFrom().voidItem();
        }
        return pool.query("select pg_is_in_recovery()")
                .execute()
                .ifNoItem()
                .after(PROBE_TIMEOUT)
                .fail()
                .invoke(rows -> availability.regained(Work.SERVE_USERS, POSTGRESQL))
                .onFailure()
                .invoke(this::lostForReads)
                .chain(rows -> Boolean.TRUE.equals(rows.iterator().next().getBoolean(0))
                        ? Uni.createFrom().failure(new IllegalStateException("it is read-only"))
                        : Uni.createFrom().voidItem())
                .replaceWithVoid()
                .invoke(this::regained)
                .onFailure()
                .invoke(this::lost)
                .onFailure()
                .recoverWithNull();
    }

    private static boolean cutsAlike(ZoneId zone, String stored) {
        try {
            return ZoneId.of(stored).getRules().equals(zone.getRules());
        } catch (DateTimeException e) {
            return false;
        }
    }

    /** A replica may answer them still. */
    private void lostForReads(Throwable failure) {
        if (!replica) {
            availability.lost(Work.SERVE_USERS, POSTGRESQL, PostgresFailure.sentence(failure));
        }
    }

    private synchronized void lost(Throwable failure) {
        if (!writes) {
            return;
        }
        String sentence = PostgresFailure.sentence(failure);
        availability.lost(Work.WRITE, POSTGRESQL, sentence);
        if (!lost) {
            LOG.warn(sentence);
        }
        lost = true;
    }

    private synchronized void regained() {
        if (lost) {
            availability.regained(Work.WRITE, POSTGRESQL);
            LOG.info("PostgreSQL is back");
        }
        lost = false;
    }
}
