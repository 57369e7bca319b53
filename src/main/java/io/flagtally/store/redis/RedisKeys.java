package io.flagtally.store.redis;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagId;
import io.flagtally.event.VariationId;
import io.flagtally.platform.redis.RedisConfig;
import io.flagtally.platform.redis.RedisTopology;
import io.flagtally.rollup.Granularity;
import io.flagtally.rollup.TimeBucket;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * The names of everything we keep in Redis. Immutable.
 *
 * <p>Implementation note. {@code <env>:} stands in front unless the environment is the default one; times are unix
 * seconds in UTC; ids are written as by {@link KeyText}. With hash tags the flag stands in braces, so that all keys
 * of a flag share a slot of a Redis Cluster.
 *
 * <table>
 *   <caption>Keys</caption>
 *   <tr><td>{@code ec:<day>:<flag>:<variation>}</td><td>integer: evaluations of a local day</td></tr>
 *   <tr><td>{@code uc:<day>:<flag>:<variation>}</td><td>HyperLogLog: users of a local day</td></tr>
 *   <tr><td>{@code ech:<hour>:<flag>:<variation>}</td><td>integer: evaluations of a local hour</td></tr>
 *   <tr><td>{@code uch:<hour>:<flag>:<variation>}</td><td>HyperLogLog: users of a local hour</td></tr>
 *   <tr><td>{@code ei:<hour>:<flag>:<variation>}</td><td>set: hashed ids counted in an hour</td></tr>
 *   <tr><td>{@code eim:<minute>:…}, {@code eis:<second>:…}</td><td>set: those that found the wider set full</td></tr>
 *   <tr><td>{@code catalog:variations:<flag>}</td><td>sorted set: variation ids by last event day</td></tr>
 *   <tr><td>{@code catalog:flags}</td><td>sorted set: flag ids by last event second</td></tr>
 *   <tr><td>{@code flagtally:environments}</td><td>sorted set: environment ids by last event second</td></tr>
 *   <tr><td>{@code flagtally:commit:<process>}, on a cluster {@code …:{<n>}}</td><td>integer: flushes of a process</td></tr>
 *   <tr><td>{@code flagtally:doubts}</td><td>list: when the store may have forgotten counts</td></tr>
 *   <tr><td>{@code flagtally:evictions}</td><td>hash: how many dropped keys of each server were told</td></tr>
 *   <tr><td>{@code flagtally:installation}</td><td>hash: what is fixed at the first start</td></tr>
 * </table>
 *
 * Members of sorted sets are ids as they are, not encoded.
 */
@Singleton
public final class RedisKeys {

    /** Maps an environment id to the second of its last event. */
    static final String ENVIRONMENTS = "flagtally:environments";

    /** What is fixed at the first start of an installation. */
    static final String INSTALLATION = "flagtally:installation";

    /** When the store may have forgotten counts. */
    static final String DOUBTS = "flagtally:doubts";

    /** Of how many dropped keys of each server was told. */
    static final String EVICTIONS = "flagtally:evictions";

    /** Held by the process that sweeps. */
    static final String SWEEP_LOCK = "flagtally:sweep";

    /** What a counter key counts. */
    enum Kind {
        DAY_EVENTS("ec", Granularity.DAY),
        DAY_USERS("uc", Granularity.DAY),
        HOUR_EVENTS("ech", Granularity.HOUR),
        HOUR_USERS("uch", Granularity.HOUR);

        final String prefix;
        final Granularity granularity;

        Kind(String prefix, Granularity granularity) {
            this.prefix = prefix;
            this.granularity = granularity;
        }

        static @Nullable Kind of(String prefix) {
            for (Kind kind : values()) {
                if (kind.prefix.equals(prefix)) {
                    return kind;
                }
            }
            return null;
        }
    }

    /**
     * A counter key, taken apart.
     *
     * @param start the first instant of its day or hour
     */
    record CounterKey(Kind kind, EnvironmentId environment, Instant start, FlagId flag, VariationId variation) {}

    private final boolean hashTags;

    @Inject
    RedisKeys(RedisConfig config) {
        this(config.topology() == RedisTopology.CLUSTER);
    }

    /** @param hashTags whether the flag stands in braces, for Redis Cluster */
    public RedisKeys(boolean hashTags) {
        this.hashTags = hashTags;
    }

    /** The number of evaluations: a decimal integer, missing if there were none. */
    String events(EnvironmentId environment, FlagId flag, VariationId variation, TimeBucket bucket) {
        boolean day = bucket.granularity() == Granularity.DAY;
        return counter(day ? Kind.DAY_EVENTS : Kind.HOUR_EVENTS, environment, flag, variation, bucket.start());
    }

    /** The users: a HyperLogLog, missing if there were none. */
    String users(EnvironmentId environment, FlagId flag, VariationId variation, TimeBucket bucket) {
        boolean day = bucket.granularity() == Granularity.DAY;
        return counter(day ? Kind.DAY_USERS : Kind.HOUR_USERS, environment, flag, variation, bucket.start());
    }

    String counter(Kind kind, EnvironmentId environment, FlagId flag, VariationId variation, Instant start) {
        return head(environment) + kind.prefix + ':' + start.getEpochSecond() + tail(flag, variation);
    }

    /** The hashed ids that were counted in the hour that begins at {@code hour}; the widest of their sets. */
    String ids(EnvironmentId environment, FlagId flag, VariationId variation, Instant hour) {
        return head(environment) + "ei:" + hour.getEpochSecond() + tail(flag, variation);
    }

    /**
     * Moved on by each flush of a process.
     *
     * @param tag the hash tag on a cluster, else empty
     */
    static String commitMarker(String process, String tag) {
        return "flagtally:commit:" + process + (tag.isEmpty() ? "" : ":{" + tag + '}');
    }

    /**
     * A key that is never there, in the slot of {@code flag}. Naming it keeps a script from running while the slot moves
     * from one master to another: some keys would be at the one and some at the other.
     */
    String absent(FlagId flag) {
        return "absent:" + tagged(flag);
    }

    /** Whether keys are made for Redis Cluster. */
    boolean hashTags() {
        return hashTags;
    }

    /** Maps each flag id of an environment to the second of its last event. */
    String flags(EnvironmentId environment) {
        return head(environment) + "catalog:flags";
    }

    /** Maps each variation id of a flag to the first second of the day of its last event. */
    String variations(EnvironmentId environment, FlagId flag) {
        return head(environment) + "catalog:variations:" + tagged(flag);
    }

    /** What stands in front of every key of an environment. */
    String head(EnvironmentId environment) {
        return environment.equals(EnvironmentId.DEFAULT) ? "" : KeyText.encode(environment.value()) + ':';
    }

    /** What stands at the end of every counter of a variation. */
    String tail(FlagId flag, VariationId variation) {
        return ':' + tagged(flag) + ':' + KeyText.encode(variation.value());
    }

    /** Returns the parts of {@code key}, or null if no counter has such a key. */
    @Nullable
    CounterKey parse(String key) {
        String[] parts = key.split(":", -1);
        int at = parts.length - 4;
        Kind kind = at == 0 || at == 1 ? Kind.of(parts[at]) : null;
        if (kind == null) {
            return null;
        }
        try {
            CounterKey parsed = new CounterKey(
                    kind,
                    at == 0 ? EnvironmentId.DEFAULT : new EnvironmentId(decoded(parts[0])),
                    Instant.ofEpochSecond(Long.parseLong(parts[at + 1])),
                    new FlagId(untagged(parts[at + 2])),
                    new VariationId(decoded(parts[at + 3])));
            // One counter has one key: what does not come out the same was not written by us.
            return key.equals(counter(kind, parsed.environment, parsed.flag, parsed.variation, parsed.start))
                    ? parsed
                    : null;
        } catch (IllegalArgumentException | java.time.DateTimeException e) {
            return null;
        }
    }

    private String tagged(FlagId flag) {
        String text = KeyText.encode(flag.value());
        return hashTags ? '{' + text + '}' : text;
    }

    private String untagged(String part) {
        boolean tag = hashTags && part.startsWith("{") && part.endsWith("}");
        return decoded(tag ? part.substring(1, part.length() - 1) : part);
    }

    private static String decoded(String part) {
        String id = KeyText.decode(part);
        if (id == null) {
            throw new IllegalArgumentException("not an encoded id: " + part);
        }
        return id;
    }
}
