package io.flagtally.store.postgres;

import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.SqlClient;
import io.vertx.mutiny.sqlclient.SqlConnection;
import java.time.Duration;
import java.util.function.Function;

/** Reads one state of the tables with several statements, none of which goes on for longer than its reader waits. */
final class ReadSnapshot {

    private final String begin;

    /** @param patience how long a statement may take */
    ReadSnapshot(Duration patience) {
        begin = "begin isolation level repeatable read read only; set local statement_timeout = "
                + Math.max(1, patience.toMillis());
    }

    /**
     * Reads.
     *
     * @param work sends all its statements at once
     */
    <T> Uni<T> read(SqlConnection connection, Function<SqlClient, Uni<T>> work) {
        return Uni.combine()
                .all()
                .unis(
                        connection.query(begin).execute(),
                        work.apply(connection),
                        connection.query("commit").execute())
                .collectFailures()
                .with((begun, read, ended) -> read);
    }
}
