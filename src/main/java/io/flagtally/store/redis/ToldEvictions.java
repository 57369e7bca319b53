package io.flagtally.store.redis;

import io.flagtally.platform.redis.RedisChannel;
import io.flagtally.platform.redis.ServerInfo;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.redis.client.Command;
import io.vertx.mutiny.redis.client.Request;
import io.vertx.mutiny.redis.client.Response;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Of how many dropped keys of each server some process has told, kept in Redis: a process that starts tells what is new
 * since, and not all that was ever dropped.
 */
final class ToldEvictions {

    /** How long it is kept after the last look at a server that dropped keys. */
    private static final Duration KEPT = Duration.ofDays(31);

    private ToldEvictions() {}

    /** Reads the numbers by the identity of the servers; no round trip if none of them ever dropped a key. */
    static Uni<Map<String, Long>> read(RedisChannel channel, List<ServerInfo> servers) {
        List<ServerInfo> dropping = dropping(servers);
        if (dropping.isEmpty()) {
            return Uni.createFrom().item(Map.of());
        }
        Request read = Request.cmd(Command.HMGET).arg(RedisKeys.EVICTIONS);
        dropping.forEach(server -> read.arg(server.identity()));
        return OwnKeys.send(channel, RedisKeys.EVICTIONS, read).map(reply -> {
            Map<String, Long> told = new HashMap<>();
            for (int i = 0; i < dropping.size(); i++) {
                Response number = reply.get(i);
                if (number != null) {
                    told.put(dropping.get(i).identity(), number.toLong());
                }
            }
            return told;
        });
    }

    /** Notes that all that the servers dropped so far is told. */
    static Uni<Void> write(RedisChannel channel, List<ServerInfo> servers) {
        List<ServerInfo> dropping = dropping(servers);
        if (dropping.isEmpty()) {
            return Uni.createFrom().voidItem();
        }
        Request write = Request.cmd(Command.HSET).arg(RedisKeys.EVICTIONS);
        dropping.forEach(server -> write.arg(server.identity()).arg(server.evictedKeys()));
        Request keep = Request.cmd(Command.EXPIRE).arg(RedisKeys.EVICTIONS).arg(KEPT.toSeconds());
        return Uni.join()
                .all(
                        OwnKeys.send(channel, RedisKeys.EVICTIONS, write),
                        OwnKeys.send(channel, RedisKeys.EVICTIONS, keep))
                .andFailFast()
                .replaceWithVoid();
    }

    private static List<ServerInfo> dropping(List<ServerInfo> servers) {
        return servers.stream()
                .filter(server -> server.evictedKeys() > 0 && !server.identity().isEmpty())
                .toList();
    }
}
