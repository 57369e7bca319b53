package io.flagtally.store.postgres;

import io.flagtally.platform.error.UnavailableException;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.RowSet;
import io.vertx.mutiny.sqlclient.SqlClient;
import io.vertx.mutiny.sqlclient.SqlConnection;
import io.vertx.mutiny.sqlclient.Tuple;
import java.time.Duration;
import java.util.function.Function;

/** Reads one state of the tables with several statements, none of which goes on for longer than its reader waits. */
final class ReadSnapshot {

    /** Runs a statement, unless the reader's patience has ended. */
    interface Turns {
        Uni<RowSet<Row>> run(String sql, Tuple arguments);
    }

    private final Duration patience;
    private final String begin;

    /** @param patience how long a statement may take */
    ReadSnapshot(Duration patience) {
        this.patience = patience;
        begin = "begin isolation level repeatable read read only; set local statement_timeout = "
                + Math.max(1, patience.toMillis());
    }

    /**
     * Reads in one round trip.
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

    /** Reads with statements that take their time, one after the other. */
    <T> Uni<T> readInTurn(SqlConnection connection, Function<Turns, Uni<T>> work) {
        return Uni.createFrom().deferred(() -> {
            long end = System.nanoTime() + patience.toNanos();
            return connection
                    .query(begin)
                    .execute()
                    .chain(begun -> work.apply((sql, arguments) -> System.nanoTime() - end < 0
                            ? connection.preparedQuery(sql).execute(arguments)
                            : Uni.createFrom().failure(this::tooLong)))
                    .onItemOrFailure()
                    .call((read, failure) ->
                            connection.query("commit").execute().onFailure().recoverWithNull());
        });
    }

    private UnavailableException tooLong() {
        return new UnavailableException("the read took longer than " + patience.toMillis() + " ms", null);
    }
}
