package io.flagtally.store.postgres;

import io.flagtally.pipeline.StoreUnavailableException;
import io.flagtally.platform.error.UnavailableException;
import io.vertx.pgclient.PgException;
import java.util.Set;

/** Tells a PostgreSQL that is away from data that it will never take. */
final class PostgresFailure {

    /** Serialization failure, deadlock: the same transaction is expected to succeed at once. */
    private static final Set<String> REPEAT = Set.of("40001", "40P01");

    /** No partition takes the row; our tables have no other check. */
    private static final String NO_PARTITION = "23514";

    private PostgresFailure() {}

    /** Whether the transaction lost against another one and is to be repeated at once. */
    static boolean isConflict(Throwable failure) {
        return REPEAT.contains(sqlState(failure));
    }

    static boolean isMissingPartition(Throwable failure) {
        return sqlState(failure).equals(NO_PARTITION);
    }

    /** Whether the data is to blame: a value out of range (class 22) or against a constraint (class 23). */
    static boolean isOfTheData(Throwable failure) {
        String state = sqlState(failure);
        return state.startsWith("22")
                || (state.startsWith("23") && !state.equals(NO_PARTITION))
                || failure instanceof NullPointerException
                || failure instanceof IllegalArgumentException
                || failure instanceof IndexOutOfBoundsException;
    }

    /** Returns {@code failure} as the port wants it: the store's fault, unless the data is to blame. */
    static Throwable judged(Throwable failure) {
        return failure instanceof StoreUnavailableException || isOfTheData(failure) ? failure : unavailable(failure);
    }

    static StoreUnavailableException unavailable(Throwable failure) {
        return new StoreUnavailableException(sentence(failure), failure);
    }

    /** Returns {@code failure} as who waits for an answer is told of it. */
    static UnavailableException away(Throwable failure) {
        return new UnavailableException(sentence(failure), failure);
    }

    static String sentence(Throwable failure) {
        String why = failure.getMessage();
        return "PostgreSQL is not usable: " + (why == null ? failure.getClass().getSimpleName() : why);
    }

    private static String sqlState(Throwable failure) {
        String state = failure instanceof PgException refused ? refused.getSqlState() : null;
        return state == null ? "" : state;
    }
}
