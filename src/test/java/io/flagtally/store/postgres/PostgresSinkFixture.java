package io.flagtally.store.postgres;

import io.flagtally.event.FlagEvent;
import io.flagtally.pipeline.BatchOutcome;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.EventBatch;
import io.flagtally.testing.PostgresServerForTests;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.mutiny.core.Vertx;
import io.vertx.mutiny.pgclient.PgBuilder;
import io.vertx.mutiny.sqlclient.Pool;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.RowSet;
import io.vertx.mutiny.sqlclient.Tuple;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.sqlclient.PoolOptions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A real PostgreSQL for the tests of a class, sinks on it, and a pool of one's own to look into it. */
final class PostgresSinkFixture implements AfterEachCallback, AfterAllCallback {

    static final BucketCalendar UTC = new BucketCalendar(ZoneOffset.UTC);

    private static final Duration PATIENCE = Duration.ofSeconds(120);

    private final boolean cleared;
    final PostgresServerForTests server = PostgresServerForTests.start();
    final Vertx vertx = Vertx.vertx();
    private final List<Pool> pools = new ArrayList<>();
    private final Pool own = pool(server.port());

    private PostgresSinkFixture(boolean cleared) {
        this.cleared = cleared;
    }

    /** Each test begins with empty tables, and leaves no connections of its sinks. */
    static PostgresSinkFixture cleared() {
        return new PostgresSinkFixture(true);
    }

    /** The tests share what is in the tables. */
    static PostgresSinkFixture shared() {
        return new PostgresSinkFixture(false);
    }

    Pool pool() {
        return pool(server.port());
    }

    Pool pool(int port) {
        return pool(port, 8);
    }

    Pool pool(int port, int connectionsMax) {
        PgConnectOptions options = new PgConnectOptions()
                .setHost("127.0.0.1")
                .setPort(port)
                .setDatabase("postgres")
                .setUser("postgres")
                .setPassword("postgres")
                .setCachePreparedStatements(true);
        Pool pool = PgBuilder.pool()
                .connectingTo(options)
                .with(new PoolOptions().setMaxSize(connectionsMax))
                .using(vertx)
                .build();
        pools.add(pool);
        return pool;
    }

    PostgresActiveUsersSink sink(int port, BucketCalendar calendar, ActiveUsersRules rules, Instant now) {
        return new PostgresActiveUsersSink(
                pool(port), calendar, rules, InstantSource.fixed(now), new SimpleMeterRegistry());
    }

    PostgresActiveUsersSink sink(Instant now) {
        return sink(server.port(), UTC, new ActiveUsersRules(true, 4, PATIENCE), now);
    }

    BatchOutcome write(Instant now, FlagEvent... events) {
        return sink(now).write(EventBatch.of(UTC, List.of(events))).await().atMost(PATIENCE);
    }

    /** Runs the job as the service does, and says what it did. */
    String runPartitions(Instant now) {
        return runPartitions(now, new PartitionJob.Retention(3, MauConfig.DOORS_CLOSE_AFTER, PATIENCE));
    }

    String runPartitions(Instant now, PartitionJob.Retention retention) {
        return new PartitionJob(pool(), UTC, retention, InstantSource.fixed(now))
                .run()
                .await()
                .atMost(PATIENCE);
    }

    boolean exists(String table) {
        return number("select count(*) from pg_class where relname = $1", table) == 1;
    }

    /** Users of all SDKs and environments, by the sums. */
    long users(String period) {
        return number(
                "select sum(user_count)::bigint from active_users_summary where period = $1 and source_id = '*'",
                period);
    }

    RowSet<Row> query(String sql, Object... arguments) {
        Tuple tuple = Tuple.tuple();
        for (Object argument : arguments) {
            tuple.addValue(argument);
        }
        return own.preparedQuery(sql).execute(tuple).await().atMost(PATIENCE);
    }

    long number(String sql, Object... arguments) {
        Long number = query(sql, arguments).iterator().next().getLong(0);
        return number == null ? 0 : number;
    }

    @Override
    public void afterEach(ExtensionContext test) {
        if (!cleared) {
            return;
        }
        while (pools.size() > 1) {
            pools.remove(1).close().onFailure().recoverWithNull().await().atMost(PATIENCE);
        }
        var unused = query("truncate mau, mau_user, event_identity, active_users_summary, closed_period, imported_day,"
                + " dropped_event_ids");
    }

    @Override
    public void afterAll(ExtensionContext tests) {
        pools.forEach(pool -> pool.close().await().atMost(PATIENCE));
        server.close();
        vertx.close().await().atMost(PATIENCE);
    }
}
