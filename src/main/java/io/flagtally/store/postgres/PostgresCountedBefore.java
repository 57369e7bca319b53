package io.flagtally.store.postgres;

import io.flagtally.event.FlagEvent;
import io.flagtally.pipeline.CountedBefore;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Pool;
import io.vertx.mutiny.sqlclient.Tuple;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

/** Knows the events whose ids are kept in {@code event_identity}. */
@Singleton
public class PostgresCountedBefore implements CountedBefore {

    private static final String KNOWN = "select id from event_identity where id = any($1)";

    private final Pool pool;

    @Inject
    public PostgresCountedBefore(Pool pool) {
        this.pool = pool;
    }

    @Override
    public Uni<List<FlagEvent>> unknown(List<FlagEvent> events) {
        EventKey key = new EventKey();
        Map<UUID, FlagEvent> byKey = new TreeMap<>();
        events.forEach(event -> byKey.putIfAbsent(key.of(event), event));
        return pool.preparedQuery(KNOWN)
                .execute(Tuple.tuple().addArrayOfUUID(byKey.keySet().toArray(UUID[]::new)))
                .onFailure()
                .transform(PostgresFailure::judged)
                .map(rows -> {
                    rows.forEach(row -> byKey.remove(row.getUUID(0)));
                    return List.copyOf(byKey.values());
                });
    }
}
