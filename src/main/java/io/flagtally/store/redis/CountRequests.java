package io.flagtally.store.redis;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagId;
import io.flagtally.platform.redis.RedisScript;
import io.flagtally.platform.redis.RedisScript.Call;
import io.flagtally.rollup.CountKey;
import io.flagtally.rollup.EventIdentity;
import io.flagtally.store.redis.RedisKeys.Kind;
import io.vertx.mutiny.redis.client.Command;
import io.vertx.mutiny.redis.client.Request;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Puts what is to be counted into the words of the script ({@code redis/count.lua}). Immutable. */
record CountRequests(RedisKeys keys, CounterRetention retention, CountRules rules) {

    private static final RedisScript SCRIPT = RedisScript.of("/redis/guard.lua", "/redis/count.lua");

    CountRequests recognisingFor(Duration window) {
        return new CountRequests(keys, retention, rules.recognisingFor(window));
    }

    /** Whether the day of {@code key} is still kept. */
    boolean isKept(CountKey key, Instant now) {
        return retention.dayExpiry(key.day()).isAfter(now);
    }

    /** Counters of equal text may go in one call. */
    String slotOf(CountKey key) {
        return keys.hashTags() ? key.flag().value() : "";
    }

    /** @param users whom to add, by cell */
    Call call(List<CountCell> cells, List<FreshUsers> users, IdHash hash, Instant now) {
        List<String> names = new ArrayList<>(cells.size() * 7);
        Arguments arguments = new Arguments();
        arguments
                .add(rules.deduplicate() ? rules.idsKept().toMillis() : 0)
                .add(rules.variationsMax())
                .add(rules.flagsMax())
                .add(now.minus(CounterRetention.CATALOG_KEPT).getEpochSecond())
                .add(keys.hashTags() ? 6 : 7);
        for (int i = 0; i < cells.size(); i++) {
            addNames(names, cells.get(i).key());
            addArguments(arguments, cells.get(i), users.get(i).ids(), hash, now);
        }
        if (keys.hashTags()) {
            names.add(keys.absent(cells.get(0).key().flag()));
        }
        // The installation's hash lies in one slot of a cluster, where scripts of other slots cannot look it up.
        arguments.add(keys.hashTags() ? "" : hash.text());
        return SCRIPT.call(names, arguments.all);
    }

    /** The commands that note when the flags of an environment were last seen. */
    List<Request> catalogs(EnvironmentId environment, Map<FlagId, Long> lastSeconds) {
        Request flags = Request.cmd(Command.ZADD).arg(keys.flags(environment));
        if (!keys.hashTags()) {
            // The script lists new flags, and refuses them when there are too many.
            flags.arg("XX");
        }
        flags.arg("GT");
        lastSeconds.forEach((flag, second) -> flags.arg(second).arg(flag.value()));
        Request environments = Request.cmd(Command.ZADD)
                .arg(RedisKeys.ENVIRONMENTS)
                .arg("GT")
                .arg(lastSeconds.values().stream()
                        .mapToLong(Long::longValue)
                        .max()
                        .orElse(0))
                .arg(environment.value());
        return List.of(flags, environments);
    }

    private void addNames(List<String> names, CountKey key) {
        names.add(keys.counter(Kind.DAY_EVENTS, key.environment(), key.flag(), key.variation(), key.day()));
        names.add(keys.counter(Kind.HOUR_EVENTS, key.environment(), key.flag(), key.variation(), key.hour()));
        names.add(keys.counter(Kind.DAY_USERS, key.environment(), key.flag(), key.variation(), key.day()));
        names.add(keys.counter(Kind.HOUR_USERS, key.environment(), key.flag(), key.variation(), key.hour()));
        names.add(keys.ids(key.environment(), key.flag(), key.variation(), key.hour()));
        names.add(keys.variations(key.environment(), key.flag()));
        if (!keys.hashTags()) {
            names.add(keys.flags(key.environment()));
        }
    }

    private void addArguments(Arguments arguments, CountCell cell, List<byte[]> users, IdHash hash, Instant now) {
        CountKey key = cell.key();
        Instant hourExpiry = retention.hourExpiry(key.hour());
        arguments
                .add(key.variation().value())
                .add(key.flag().value())
                .add(key.day().getEpochSecond())
                .add(cell.lastSecond())
                .add(retention.dayExpiry(key.day()).getEpochSecond())
                .add(hourExpiry.isAfter(now) ? hourExpiry.getEpochSecond() : 0)
                .add(keys.head(key.environment()))
                .add(keys.tail(key.flag(), key.variation()))
                .add(key.hour().getEpochSecond())
                .add(secondsOf(cell))
                .add(cell.identities().size())
                .add(users.size());
        cell.identities().forEach(identity -> arguments.add(hash.of(identity)));
        users.forEach(arguments::add);
    }

    private static byte[] secondsOf(CountCell cell) {
        long hour = cell.key().hour().getEpochSecond();
        byte[] seconds = new byte[2 * cell.identities().size()];
        int at = 0;
        for (EventIdentity identity : cell.identities()) {
            int second = Math.toIntExact(identity.epochSecond() - hour);
            seconds[at++] = (byte) (second >>> 8);
            seconds[at++] = (byte) second;
        }
        return seconds;
    }

    private static final class Arguments {
        final List<byte[]> all = new ArrayList<>();

        Arguments add(long number) {
            return add(Long.toString(number));
        }

        Arguments add(String text) {
            return add(text.getBytes(StandardCharsets.UTF_8));
        }

        Arguments add(byte[] bytes) {
            all.add(bytes);
            return this;
        }
    }
}
