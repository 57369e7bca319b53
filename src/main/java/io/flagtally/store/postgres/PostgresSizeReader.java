package io.flagtally.store.postgres;

import io.flagtally.pipeline.LedgerConfig;
import io.flagtally.pipeline.StoreSizeReader;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Pool;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.ArrayList;
import java.util.List;

/** Measures the tables, each with its partitions and indexes; how many rows they hold is the planner's estimate. */
@Singleton
public class PostgresSizeReader implements StoreSizeReader {

    private static final String SIZES = "select regexp_replace(c.relname, '_[0-9]{6,8}$', ''),"
            + " sum(greatest(c.reltuples, pg_stat_get_live_tuples(c.oid), 0))::bigint, sum(pg_total_relation_size(c.oid))::bigint,"
            + " pg_database_size(current_database())"
            + " from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            + " where c.relkind = 'r' and n.nspname = current_schema() group by 1 order by 3 desc";

    private final Pool pool;
    private final LedgerConfig config;

    @Inject
    public PostgresSizeReader(Pool pool, LedgerConfig config) {
        this.pool = pool;
        this.config = config;
    }

    @Override
    public String store() {
        return "postgres";
    }

    @Override
    public Uni<StoreSize> read() {
        return pool.query(SIZES)
                .execute()
                .onFailure()
                .transform(PostgresFailure::away)
                .map(rows -> {
                    List<KindSize> kinds = new ArrayList<>();
                    long[] all = {0};
                    rows.forEach(row -> {
                        kinds.add(new KindSize(row.getString(0), row.getLong(1), row.getLong(2), false));
                        all[0] = row.getLong(3);
                    });
                    Long max = config.postgresBytesMax().orElse(null);
                    return new StoreSize(all[0], max, kinds);
                });
    }
}
