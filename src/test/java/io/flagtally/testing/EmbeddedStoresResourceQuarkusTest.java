package io.flagtally.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quarkus.redis.datasource.RedisDataSource;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

@QuarkusTest
@QuarkusTestResource(EmbeddedStoresResource.class)
class EmbeddedStoresResourceQuarkusTest {

    @Inject
    RedisDataSource redis;

    @Inject
    DataSource postgres;

    @Test
    void redis_durabilityAndEviction_loseNothing() {
        assertEquals("always", redisSetting("appendfsync"));
        assertEquals("yes", redisSetting("appendonly"));
        assertEquals("noeviction", redisSetting("maxmemory-policy"));
        assertEquals("127.0.0.1", redisSetting("bind"));
    }

    @Test
    void postgres_durability_losesNothing() throws SQLException {
        assertEquals("on", postgresSetting("fsync"));
        assertEquals("on", postgresSetting("synchronous_commit"));
        assertEquals("on", postgresSetting("full_page_writes"));
        assertEquals("127.0.0.1", postgresSetting("listen_addresses"));
    }

    private String redisSetting(String name) {
        return redis.execute("CONFIG", "GET", name).get(name).toString();
    }

    private String postgresSetting(String name) throws SQLException {
        try (Connection connection = postgres.getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SHOW " + name)) {
            assertEquals(true, rows.next());
            return rows.getString(1);
        }
    }
}
