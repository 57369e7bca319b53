package io.flagtally.store.redis;

import io.flagtally.pipeline.StoreUnavailableException;
import io.flagtally.platform.Availability;
import io.flagtally.platform.Availability.Work;
import io.flagtally.platform.redis.RedisChannel;
import io.flagtally.platform.redis.RedisDurability;
import io.flagtally.platform.redis.ServerInfo;
import io.flagtally.platform.redis.UnfitRedisException;
import io.flagtally.store.redis.CommitMarkers.Move;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.redis.client.Command;
import io.vertx.mutiny.redis.client.Request;
import io.vertx.mutiny.redis.client.Response;
import java.security.SecureRandom;
import java.time.DateTimeException;
import java.time.ZoneId;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * What is fixed at the first start of an installation, and what a Redis must be like before it is written to. Each look
 * is also held against what this process knows ({@link StoreMemory}).
 *
 * <p>Checking writes, though it changes nothing but the first time: a Redis that answers but cannot be written to
 * (full, read-only, failing disk) does not pass.
 */
final class RedisInstallation {

    /** The availability entry of a Redis that may drop keys. */
    static final String EVICTION = "redis-eviction";

    private static final Logger LOG = Logger.getLogger(RedisInstallation.class);
    private static final String ID_KEY = "id-key";
    private static final String TIME_ZONE = "time-zone";
    private static final int ID_KEY_BYTES = 16;
    private static final int MAJOR_MIN = 6;
    private static final int MINOR_MIN = 2;

    /** What is stored. */
    private record Stored(String idKey, boolean made, String zone) {}

    private final ZoneId zone;
    private final RedisDurability durability;
    private final StoreMemory memory;
    private final Availability availability;

    RedisInstallation(ZoneId zone, RedisDurability durability, StoreMemory memory, Availability availability) {
        this.zone = zone;
        this.durability = durability;
        this.memory = memory;
        this.availability = availability;
    }

    /**
     * Checks the Redis behind {@code channel}, in a few round trips, and gives the installation's way to hash
     * ids. Fails with {@link UnfitRedisException} when another time zone is stored or the server cannot do what is
     * configured, and with {@link StoreUnavailableException} when the server is too old, has too few replicas, or keeps
     * something else at a key of ours; and as {@code channel} does when Redis is away.
     */
    Uni<IdHash> verify(RedisChannel channel) {
        return place(channel)
                .chain(() -> Uni.combine()
                        .all()
                        .unis(stored(channel), looks(channel), servers(channel), confirmed(channel))
                        .asTuple())
                .chain(seen -> ToldEvictions.read(channel, seen.getItem3())
                        .map(told -> judge(seen.getItem1(), seen.getItem2(), seen.getItem3(), told))
                        .call(() -> memory.doubts().list(channel))
                        .call(() -> ToldEvictions.write(channel, seen.getItem3())))
                .onFailure()
                .transform(OwnKeys::waitedFor);
    }

    private Uni<Void> place(RedisChannel channel) {
        Request masters = memory.markers().masters();
        return masters == null
                ? Uni.createFrom().voidItem()
                : channel.send(masters).invoke(memory.markers()::placed).replaceWithVoid();
    }

    private Uni<Stored> stored(RedisChannel channel) {
        return Uni.join()
                .all(
                        set(channel, ID_KEY, proposedKey()),
                        set(channel, TIME_ZONE, zone.getId()),
                        channel.send(Request.cmd(Command.HMGET)
                                .arg(RedisKeys.INSTALLATION)
                                .arg(ID_KEY)
                                .arg(TIME_ZONE)))
                .andFailFast()
                .map(replies -> new Stored(
                        replies.get(2).get(0).toString(),
                        replies.get(0).toLong() == 1,
                        replies.get(2).get(1).toString()));
    }

    /** A key that was in force goes on to be, so that ids in other parts of a cluster keep their hashes. */
    private String proposedKey() {
        String known = memory.idKey();
        if (known != null) {
            return known;
        }
        byte[] fresh = new byte[ID_KEY_BYTES];
        new SecureRandom().nextBytes(fresh);
        return HexFormat.of().formatHex(fresh);
    }

    private Uni<Map<Move, Long>> looks(RedisChannel channel) {
        List<Move> markers = memory.markers().all();
        List<Uni<Response>> looks = markers.stream()
                .map(marker -> {
                    Uni<Response> made = OwnKeys.send(channel, marker.key(), marker.make());
                    Uni<Response> look = OwnKeys.send(channel, marker.key(), marker.look());
                    return Uni.join().all(made, look).andFailFast().map(replies -> replies.get(1));
                })
                .toList();
        return Uni.join().all(looks).andFailFast().map(replies -> {
            Map<Move, Long> seen = new HashMap<>();
            for (int i = 0; i < replies.size(); i++) {
                seen.put(markers.get(i), replies.get(i).toLong());
            }
            return seen;
        });
    }

    private static Uni<List<ServerInfo>> servers(RedisChannel channel) {
        return channel.sendToMasters(Request.cmd(Command.INFO))
                .map(replies -> replies.stream()
                        .map(reply -> ServerInfo.of(reply.toString()))
                        .toList());
    }

    /** Whether replicas or disk answer in time; without this a link would be well as long as nobody writes. */
    private Uni<Void> confirmed(RedisChannel channel) {
        List<Request> confirmations = durability.confirmations();
        return confirmations.isEmpty() || durability.level() == RedisDurability.Level.FSYNC
                ? Uni.createFrom().voidItem()
                : channel.sendToMasters(confirmations.get(0))
                        .invoke(replies -> RedisCommits.requireConfirmed(durability, replies))
                        .replaceWithVoid();
    }

    private static Uni<Response> set(RedisChannel channel, String field, String value) {
        Request set = Request.cmd(Command.HSETNX)
                .arg(RedisKeys.INSTALLATION)
                .arg(field)
                .arg(value);
        return OwnKeys.send(channel, RedisKeys.INSTALLATION, set);
    }

    private IdHash judge(
            Stored stored, Map<Move, Long> looks, List<ServerInfo> servers, Map<String, Long> toldEvictions) {
        for (ServerInfo server : servers) {
            requireVersion(server);
            durability.requireOf(server);
        }
        requireZone(stored.zone);
        watchEviction(servers);
        IdHash hash = hashBy(stored.idKey);
        memory.observed(servers, stored.idKey, stored.made, looks, toldEvictions);
        return hash;
    }

    private static IdHash hashBy(String idKey) {
        try {
            return new IdHash(HexFormat.of().parseHex(idKey));
        } catch (IllegalArgumentException e) {
            throw new StoreUnavailableException(
                    "the field " + ID_KEY + " of the Redis key " + RedisKeys.INSTALLATION + " is not "
                            + 2 * ID_KEY_BYTES
                            + " hexadecimal digits; put back what it was, or delete it if nobody knows: then a new one is"
                            + " made, and repeats of events counted before are not recognised",
                    e);
        }
    }

    private static void requireVersion(ServerInfo server) {
        if (!server.isAtLeast(MAJOR_MIN, MINOR_MIN)) {
            throw new StoreUnavailableException(
                    "Redis is of version " + server.version() + "; use " + MAJOR_MIN + "." + MINOR_MIN + " or newer",
                    null);
        }
    }

    private void requireZone(String stored) {
        if (!cutsAlike(stored)) {
            throw new UnfitRedisException("flagtally.time.zone is " + zone.getId()
                    + ", but the counts in this Redis were cut by " + stored + "; set flagtally.time.zone to " + stored
                    + ", or use an empty Redis");
        }
    }

    /** Whether {@code stored} is this zone, be it under another name (UTC, Etc/UTC). */
    private boolean cutsAlike(String stored) {
        try {
            return ZoneId.of(stored).getRules().equals(zone.getRules());
        } catch (DateTimeException e) {
            return false;
        }
    }

    private void watchEviction(List<ServerInfo> servers) {
        String wrong = wrongPolicy(servers);
        if (wrong == null) {
            availability.regained(Work.WRITE, EVICTION);
        } else {
            availability.lost(
                    Work.WRITE,
                    EVICTION,
                    "Redis' maxmemory-policy is " + wrong + ", which drops counts when memory is short; set it to"
                            + " noeviction");
        }
    }

    private static @Nullable String wrongPolicy(List<ServerInfo> servers) {
        for (ServerInfo server : servers) {
            if (server.evictionPolicy().isEmpty()) {
                LOG.debug("Redis does not tell its maxmemory-policy; it must be noeviction, or counts can vanish");
            } else if (!server.evictionPolicy().equals("noeviction")) {
                return server.evictionPolicy();
            }
        }
        return null;
    }
}
