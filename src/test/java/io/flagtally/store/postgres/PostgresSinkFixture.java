package io.flagtally.store.postgres;

import io.flagtally.rollup.BucketCalendar;
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
import java.util.ArrayList;
import java.util.List;

/** A real PostgreSQL, sinks on it, and a pool of one's own to look into it. */
final class PostgresSinkFixture implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    final PostgresServerForTests server = PostgresServerForTests.start();
    final Vertx vertx = Vertx.vertx();
    private final List<Pool> pools = new ArrayList<>();
    private final Pool own = pool(server.port());

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

    /** Closes the connections of sinks, and empties all tables. */
    void clear() {
        while (pools.size() > 1) {
            pools.remove(1).close().onFailure().recoverWithNull().await().atMost(PATIENCE);
        }
        var unused = query("truncate mau, mau_user, event_identity, active_users_summary, closed_period, imported_day,"
                + " dropped_event_ids");
    }

    @Override
    public void close() {
        pools.forEach(pool -> pool.close().await().atMost(PATIENCE));
        server.close();
        vertx.close().await().atMost(PATIENCE);
    }
}
