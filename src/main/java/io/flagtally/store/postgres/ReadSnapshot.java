package io.flagtally.store.postgres;

import io.flagtally.platform.error.UnavailableException;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.RowSet;
import io.vertx.mutiny.sqlclient.SqlClient;
import io.vertx.mutiny.sqlclient.SqlConnection;
import io.vertx.mutiny.sqlclient.Tuple;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.LongFunction;

/** Reads one state of the tables with several statements, which all end when the patience of their reader does. */
final class ReadSnapshot {

    private static final String BEGIN = "begin isolation level repeatable read read only; ";
    private static final String END_WITHIN = "set local statement_timeout = ";

    /** Runs a statement, for as long as the reader's patience lasts. */
    interface Turns {
        Uni<RowSet<Row>> run(String sql, Tuple arguments);
    }

    private final Duration patience;
    private final long end;

    /** @param patience of the reader, who waits from now on */
    ReadSnapshot(Duration patience) {
        this.patience = patience;
        end = System.nanoTime() + patience.toNanos();
    }

    /**
     * Reads in one round trip.
     *
     * @param work sends all its statements at once
     */
    <T> Uni<T> read(SqlConnection connection, Function<SqlClient, Uni<T>> work) {
        return inTime(left -> Uni.combine()
                .all()
                .unis(
                        connection.query(BEGIN + END_WITHIN + left).execute(),
                        work.apply(connection),
                        connection.query("commit").execute())
                .collectFailures()
                .with((begun, read, ended) -> read));
    }

    /** Reads with statements that take their time, one after the other. */
    <T> Uni<T> readInTurn(SqlConnection connection, Function<Turns, Uni<T>> work) {
        return inTime(left -> connection
                .query(BEGIN + END_WITHIN + left)
                .execute()
                .chain(begun -> work.apply((sql, arguments) -> inTime(now -> turn(connection, now, sql, arguments))))
                .onItemOrFailure()
                .call((read, failure) ->
                        connection.query("commit").execute().onFailure().recoverWithNull()));
    }

    private static Uni<RowSet<Row>> turn(SqlConnection connection, long left, String sql, Tuple arguments) {
        return Uni.combine()
                .all()
                .unis(
                        connection.query(END_WITHIN + left).execute(),
                        connection.preparedQuery(sql).execute(arguments))
                .with((bounded, rows) -> rows);
    }

    /** @param work is told the milliseconds that are left; none are left for work that is not begun */
    private <T> Uni<T> inTime(LongFunction<Uni<T>> work) {
        return Uni.createFrom().deferred(() -> {
            long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
            return left > 0 ? work.apply(left) : Uni.createFrom().failure(this::tooLong);
        });
    }

    private UnavailableException tooLong() {
        return new UnavailableException("the read took longer than " + patience.toMillis() + " ms", null);
    }
}
