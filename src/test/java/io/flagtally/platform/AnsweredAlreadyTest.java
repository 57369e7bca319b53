package io.flagtally.platform;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vertx.core.Vertx;
import io.vertx.pgclient.PgBuilder;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.PoolOptions;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class AnsweredAlreadyTest {

    private final AnsweredAlready filter = new AnsweredAlready();

    @Test
    void isLoggable_poolWhoseTimerAnswersAgain_isNot() throws Exception {
        BlockingQueue<Throwable> uncaught = new ArrayBlockingQueue<>(10);
        Vertx vertx = Vertx.vertx().exceptionHandler(uncaught::add);
        try {
            Pool pool = PgBuilder.pool()
                    .connectingTo(new PgConnectOptions().setHost("unused.invalid"))
                    .with(new PoolOptions().setConnectionTimeout(3).setConnectionTimeoutUnit(TimeUnit.SECONDS))
                    .using(vertx)
                    .build();
            assertThrows(
                    ExecutionException.class,
                    () -> pool.query("select 1")
                            .execute()
                            .toCompletionStage()
                            .toCompletableFuture()
                            .get(30, TimeUnit.SECONDS));

            Throwable again = uncaught.poll(30, TimeUnit.SECONDS);

            assertFalse(filter.isLoggable(entry(again)), String.valueOf(again));
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
        }
    }

    @Test
    void isLoggable_everythingElse_is() {
        assertTrue(filter.isLoggable(entry(null)));
        assertTrue(filter.isLoggable(entry(new IllegalStateException("Result is already complete"))));
        assertTrue(filter.isLoggable(entry(new IllegalStateException("another"))));
    }

    private static LogRecord entry(@Nullable Throwable thrown) {
        LogRecord entry = new LogRecord(Level.SEVERE, "Uncaught exception received by Vert.x");
        entry.setThrown(thrown);
        assertEquals(thrown, entry.getThrown());
        return entry;
    }
}
