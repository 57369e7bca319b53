package io.flagtally.store.postgres;

import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Pool;
import io.vertx.mutiny.sqlclient.Tuple;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/**
 * Opens the partitions of months (202611) and of days of event ids (20261121, UTC) before they are written to. Safe for
 * use by several threads and processes.
 *
 * <p>What was open once is taken to be open until {@link #forget}: a writer that meets a missing partition forgets and
 * opens again, and so learns that the period was closed.
 */
final class Periods {

    private static final String OPEN = "select open_period($1)";

    /** Beyond this many, what is known to be open is learnt anew. */
    private static final int KNOWN_MAX = 10_000;

    private final Pool pool;
    private final Set<String> known = ConcurrentHashMap.newKeySet();

    Periods(Pool pool) {
        this.pool = pool;
    }

    /** Opens {@code periods}, each in a transaction of its own, and gives those that are closed. */
    Uni<Set<String>> open(Collection<String> periods) {
        List<String> unknown = new ArrayList<>();
        for (String period : periods) {
            if (!known.contains(period)) {
                unknown.add(period);
            }
        }
        if (unknown.isEmpty()) {
            return Uni.createFrom().item(Set.of());
        }
        return Multi.createFrom()
                .iterable(unknown)
                .onItem()
                .transformToUniAndConcatenate(this::openOne)
                .filter(period -> !period.isEmpty())
                .collect()
                .with(Collectors.toCollection(HashSet::new));
    }

    /** Takes nothing to be open any more. */
    void forget() {
        known.clear();
    }

    /** Gives the period if it is closed, or an empty text. */
    private Uni<String> openOne(String period) {
        return pool.preparedQuery(OPEN).execute(Tuple.of(period)).map(rows -> {
            if (!Boolean.TRUE.equals(rows.iterator().next().getBoolean(0))) {
                return period;
            }
            if (known.size() >= KNOWN_MAX) {
                known.clear();
            }
            known.add(period);
            return "";
        });
    }
}
