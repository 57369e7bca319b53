package io.flagtally.store.redis;

import io.flagtally.pipeline.StoreUnavailableException;
import io.flagtally.platform.Availability;
import io.flagtally.platform.Availability.Work;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.redis.client.Command;
import io.vertx.mutiny.redis.client.Request;
import io.vertx.mutiny.redis.client.Response;
import java.security.SecureRandom;
import java.time.DateTimeException;
import java.time.ZoneId;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;

/**
 * What is fixed at the first start of an installation, and what a Redis must be like before it is written to.
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

    private final ZoneId zone;
    private final Availability availability;

    RedisInstallation(ZoneId zone, Availability availability) {
        this.zone = zone;
        this.availability = availability;
    }

    /**
     * Checks the Redis behind {@code send}, in one round trip, and gives the installation's way to hash ids. Fails
     * with {@link ForeignInstallationException} when another time zone is stored, with
     * {@link StoreUnavailableException} when the server is too old, and as {@code send} does.
     */
    Uni<IdHash> verify(Function<Request, Uni<Response>> send) {
        byte[] freshKey = new byte[ID_KEY_BYTES];
        new SecureRandom().nextBytes(freshKey);
        return Uni.join()
                .all(
                        send.apply(set(ID_KEY, HexFormat.of().formatHex(freshKey))),
                        send.apply(set(TIME_ZONE, zone.getId())),
                        send.apply(Request.cmd(Command.HMGET)
                                .arg(RedisKeys.INSTALLATION)
                                .arg(ID_KEY)
                                .arg(TIME_ZONE)),
                        send.apply(Request.cmd(Command.INFO)))
                .andFailFast()
                .map(this::judge);
    }

    private static Request set(String field, String value) {
        return Request.cmd(Command.HSETNX)
                .arg(RedisKeys.INSTALLATION)
                .arg(field)
                .arg(value);
    }

    private IdHash judge(List<Response> replies) {
        Map<String, String> info = parsed(replies.get(3).toString());
        requireVersion(info.getOrDefault("redis_version", ""));
        requireZone(replies.get(2).get(1).toString());
        watchEviction(info.getOrDefault("maxmemory_policy", ""));
        return new IdHash(HexFormat.of().parseHex(replies.get(2).get(0).toString()));
    }

    private static void requireVersion(String version) {
        String[] parts = version.split("\\.");
        if (parts.length < 2) {
            LOG.debugf("Redis does not tell its version: '%s'", version);
            return;
        }
        int major = Integer.parseInt(parts[0]);
        if (major < MAJOR_MIN || (major == MAJOR_MIN && Integer.parseInt(parts[1]) < MINOR_MIN)) {
            throw new StoreUnavailableException(
                    "Redis is of version " + version + "; use " + MAJOR_MIN + "." + MINOR_MIN + " or newer", null);
        }
    }

    private void requireZone(String stored) {
        if (!cutsAlike(stored)) {
            throw new ForeignInstallationException("flagtally.time.zone is " + zone.getId()
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

    private void watchEviction(String policy) {
        if (policy.isEmpty()) {
            LOG.info("Redis does not tell its maxmemory-policy; it must be noeviction, or counts can vanish");
        } else if (policy.equals("noeviction")) {
            availability.regained(Work.ACCEPT, EVICTION);
        } else {
            availability.lost(
                    Work.ACCEPT,
                    EVICTION,
                    "Redis' maxmemory-policy is " + policy + ", which drops counts when memory is short; set it to"
                            + " noeviction");
        }
    }

    private static Map<String, String> parsed(String info) {
        return info.lines()
                .map(line -> line.split(":", 2))
                .filter(parts -> parts.length == 2)
                .collect(Collectors.toMap(parts -> parts[0], parts -> parts[1].trim(), (first, second) -> first));
    }
}
