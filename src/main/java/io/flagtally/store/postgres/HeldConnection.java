package io.flagtally.store.postgres;

import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Pool;
import io.vertx.mutiny.sqlclient.SqlConnection;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

/**
 * A connection of the pool for as long as some work takes, even when nobody waits for the work any more: one that went back
 * with a transaction under way would mix it with the next one's.
 */
final class HeldConnection {

    private HeldConnection() {}

    /**
     * Does {@code work}, which leaves the connection without a transaction, and gives the connection back at its end. Work
     * that nobody waits for any more is not begun, but what was begun goes on.
     */
    static <T> Uni<T> use(Pool pool, Function<SqlConnection, Uni<T>> work) {
        return Uni.createFrom().emitter(waiting -> {
            AtomicBoolean abandoned = new AtomicBoolean();
            waiting.onTermination(() -> abandoned.set(true));
            var unused = pool.getConnection()
                    .chain(connection -> Uni.createFrom()
                            .deferred(() -> abandoned.get() ? notBegun() : work.apply(connection))
                            .eventually(connection::close))
                    .subscribe()
                    .with(waiting::complete, waiting::fail);
        });
    }

    private static <T> Uni<T> notBegun() {
        return Uni.createFrom().failure(() -> new IllegalStateException("nobody waits for it any more"));
    }
}
