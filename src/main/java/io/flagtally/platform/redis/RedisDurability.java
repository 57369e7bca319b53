package io.flagtally.platform.redis;

import io.vertx.mutiny.redis.client.Command;
import io.vertx.mutiny.redis.client.Request;
import io.vertx.mutiny.redis.client.Response;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What must have happened to a flush before it counts as written. Immutable.
 *
 * @param replicas how many must have it under {@link Level#REPLICA}
 * @param timeout how long they, or the disk, are waited for
 */
public record RedisDurability(Level level, int replicas, Duration timeout) {

    /** Where a flush must have arrived. */
    public enum Level {
        /** In the master, which is as durable as its own settings make it. */
        LOCAL,
        /** In a number of replicas too. */
        REPLICA,
        /** On the master's disk. */
        FSYNC
    }

    /** The master's word is enough. */
    public static final RedisDurability LOCAL = new RedisDurability(Level.LOCAL, 0, Duration.ofSeconds(1));

    private static final Command WAITAOF = Command.create("WAITAOF");
    private static final int MAJOR_WITH_WAITAOF = 7;
    private static final int MINOR_WITH_WAITAOF = 2;

    /** @throws IllegalArgumentException with one sentence that names the configuration key */
    public static RedisDurability of(RedisConfig config) {
        if (config.durability() != Level.LOCAL && config.durabilityTimeout().compareTo(config.flushTimeout()) >= 0) {
            throw new IllegalArgumentException("flagtally.redis.durability-timeout must be below"
                    + " flagtally.redis.flush-timeout, or a flush ends before it is confirmed");
        }
        if (config.durability() == Level.REPLICA && config.durabilityReplicas() < 1) {
            throw new IllegalArgumentException("flagtally.redis.durability-replicas must be 1 or more");
        }
        return new RedisDurability(config.durability(), config.durabilityReplicas(), config.durabilityTimeout());
    }

    /** What asks a master, after the writes on the same connection, whether it is done; nothing if its word is enough. */
    public List<Request> confirmations() {
        return switch (level) {
            case LOCAL -> List.of();
            case REPLICA -> List.of(Request.cmd(Command.WAIT).arg(replicas).arg(timeout.toMillis()));
            case FSYNC -> List.of(Request.cmd(WAITAOF).arg(1).arg(0).arg(timeout.toMillis()));
        };
    }

    /** A sentence if the answer to a confirmation says that it was not done in time; empty if it was. */
    public Optional<String> unmet(Response answer) {
        long done = level == Level.FSYNC ? answer.get(0).toLong() : answer.toLong();
        if (level == Level.REPLICA && done < replicas) {
            return Optional.of("Redis has " + done + " of " + replicas + " replicas that confirm a write within "
                    + timeout.toMillis() + " ms (flagtally.redis.durability is replica)");
        }
        if (level == Level.FSYNC && done < 1) {
            return Optional.of("Redis' disk did not confirm a write within " + timeout.toMillis()
                    + " ms (flagtally.redis.durability is fsync)");
        }
        return Optional.empty();
    }

    /** @throws UnfitRedisException if the server can never give what is asked of it */
    public void requireOf(ServerInfo server) {
        if (level != Level.FSYNC) {
            return;
        }
        if (!server.isAtLeast(MAJOR_WITH_WAITAOF, MINOR_WITH_WAITAOF)) {
            throw new UnfitRedisException(
                    "flagtally.redis.durability is fsync, which takes Redis 7.2 or newer, and this" + " Redis is "
                            + server.version() + "; use a newer one, or set it to local or replica");
        }
        if (!server.appendOnly()) {
            throw new UnfitRedisException("flagtally.redis.durability is fsync, but this Redis keeps no append-only"
                    + " file; set appendonly to yes there");
        }
    }
}
