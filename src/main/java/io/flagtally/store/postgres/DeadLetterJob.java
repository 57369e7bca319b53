package io.flagtally.store.postgres;

import io.flagtally.pipeline.DeadLettersConfig;
import io.flagtally.platform.job.Job;
import io.micrometer.core.instrument.MeterRegistry;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Pool;
import io.vertx.mutiny.sqlclient.Tuple;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.Optional;

/** Drops dead letters past their retention, and the oldest beyond the bound of the table, some at a time. */
@Singleton
public class DeadLetterJob implements Job {

    private static final int STEP = 10_000;
    private static final String EXPIRED = "delete from dead_letter where id in"
            + " (select id from dead_letter where put_at < $1 order by put_at limit " + STEP + ")";
    private static final String BEYOND = "delete from dead_letter where id in"
            + " (select id from dead_letter order by put_at limit"
            + " least(greatest((select count(*) from dead_letter) - $1, 0), " + STEP + "))";

    private final Pool pool;
    private final DeadLettersConfig config;
    private final InstantSource clock;
    private final MeterRegistry meters;

    @Inject
    DeadLetterJob(Pool pool, DeadLettersConfig config, InstantSource clock, MeterRegistry meters) {
        this.pool = pool;
        this.config = config;
        this.clock = clock;
        this.meters = meters;
    }

    @Override
    public String name() {
        return "dead-letters";
    }

    @Override
    public Optional<Duration> every() {
        return Optional.of(Duration.ofHours(1));
    }

    @Override
    public Uni<String> run() {
        Tuple before = Tuple.of(clock.instant().minus(config.retention()).atOffset(ZoneOffset.UTC));
        return drop(EXPIRED, before, 0)
                .chain(expired -> drop(BEYOND, Tuple.of((long) config.rowsMax()), 0)
                        .map(beyond -> {
                            meters.counter("flagtally.store.dead_letters.dropped")
                                    .increment(expired + beyond);
                            return expired + " past their retention and " + beyond + " beyond the bound were dropped";
                        }));
    }

    private Uni<Long> drop(String statement, Tuple argument, long before) {
        return pool.preparedQuery(statement).execute(argument).chain(rows -> {
            long dropped = before + rows.rowCount();
            return rows.rowCount() < STEP ? Uni.createFrom().item(dropped) : drop(statement, argument, dropped);
        });
    }
}
