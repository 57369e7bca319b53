package io.flagtally.store.postgres;

import io.flagtally.platform.security.InstallationSecret;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Pool;
import io.vertx.mutiny.sqlclient.Tuple;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.security.SecureRandom;
import java.util.HexFormat;

/** Keeps the secret in {@code installation}, in hexadecimal. */
@Singleton
public class PostgresInstallationSecret implements InstallationSecret {

    private static final int BYTES = 32;
    private static final String NAME = "secret";
    private static final String MAKE =
            "insert into installation (name, value) values ($1, $2) on conflict (name) do nothing";
    private static final String READ = "select value from installation where name = $1";

    private final Pool pool;

    @Inject
    public PostgresInstallationSecret(Pool pool) {
        this.pool = pool;
    }

    @Override
    public Uni<byte[]> bytes() {
        return Uni.createFrom().deferred(() -> {
            byte[] random = new byte[BYTES];
            new SecureRandom().nextBytes(random);
            return pool.preparedQuery(MAKE)
                    .execute(Tuple.of(NAME, HexFormat.of().formatHex(random)))
                    .chain(made -> pool.preparedQuery(READ).execute(Tuple.of(NAME)))
                    .map(rows -> HexFormat.of().parseHex(rows.iterator().next().getString(0)));
        });
    }
}
