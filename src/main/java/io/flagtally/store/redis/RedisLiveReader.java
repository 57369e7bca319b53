package io.flagtally.store.redis;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagId;
import io.flagtally.event.IdFault;
import io.flagtally.event.VariationId;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.rollup.TimeBucket;
import io.flagtally.series.live.LiveFlag;
import io.flagtally.series.live.LiveReader;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.redis.client.Request;
import io.vertx.mutiny.redis.client.Response;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads the flags of a tick: one round trip for how far each is counted, then each as {@link RedisSeriesReader} does, one
 * round trip for a flag that stands still and two for one that moves.
 */
@Singleton
public final class RedisLiveReader implements LiveReader {

    /** Flags that are read at the same time. */
    private static final int AT_ONCE = 64;

    /** The busiest flags are looked for among so many that were evaluated last. */
    private static final int CANDIDATES_MAX = 1_000;

    private final RedisReadLink link;
    private final RedisKeys keys;
    private final RedisSeriesReader series;

    @Inject
    RedisLiveReader(RedisReadLink link, RedisKeys keys, RedisSeriesReader series) {
        this.link = link;
        this.keys = keys;
        this.series = series;
    }

    @Override
    public Uni<List<LiveFlag>> read(EnvironmentId environment, List<FlagId> flags, TimeBucket day) {
        String catalog = keys.flags(environment);
        // Before the counters: what is said to be counted until then is in them.
        return link.send(flags.stream()
                        .map(flag -> ReadCommands.score(catalog, flag.value()))
                        .toList())
                .chain(scores -> {
                    Map<FlagId, @Nullable Response> until = new HashMap<>();
                    for (int i = 0; i < flags.size(); i++) {
                        until.put(flags.get(i), scores.get(i));
                    }
                    return Multi.createFrom()
                            .iterable(flags)
                            .onItem()
                            .transformToUni(flag -> read(environment, flag, until.get(flag), day))
                            .merge(AT_ONCE)
                            .collect()
                            .asList();
                });
    }

    private Uni<LiveFlag> read(EnvironmentId environment, FlagId flag, @Nullable Response until, TimeBucket day) {
        Instant countedUntil = until == null ? null : ReadCommands.second(until);
        // A null is left out by the Multi.
        return series.read(environment, flag, List.of(day))
                .map(today -> new LiveFlag(flag, countedUntil, today))
                .onFailure(RefusedException.class)
                .recoverWithNull();
    }

    @Override
    public Uni<List<FlagId>> busiest(EnvironmentId environment, TimeBucket day, int limit) {
        long start = day.start().getEpochSecond();
        return link.send(List.of(ReadCommands.membersSince(keys.flags(environment), start, CANDIDATES_MAX)))
                .chain(replies -> {
                    List<FlagId> flags = new ArrayList<>();
                    for (Response flag : replies.get(0)) {
                        if (IdFault.of(flag.toString()) == null) {
                            flags.add(new FlagId(flag.toString()));
                        }
                    }
                    return link.send(flags.stream()
                                    .map(flag ->
                                            ReadCommands.variationsSince(keys.variations(environment, flag), start))
                                    .toList())
                            .chain(variations -> busiest(environment, day, flags, variations))
                            .map(ordered -> ordered.subList(0, Math.min(limit, ordered.size())));
                });
    }

    private Uni<List<FlagId>> busiest(
            EnvironmentId environment, TimeBucket day, List<FlagId> flags, List<Response> variations) {
        List<Request> requests = new ArrayList<>();
        List<Integer> sizes = new ArrayList<>();
        for (int i = 0; i < flags.size(); i++) {
            FlagId flag = flags.get(i);
            List<VariationId> ids = ReadCommands.variationIds(variations.get(i));
            sizes.add(ids.size());
            requests.addAll(ReadCommands.numbers(ids.stream()
                    .map(variation -> keys.events(environment, flag, variation, day))
                    .toList()));
        }
        return link.send(requests).map(replies -> {
            Iterator<Response> next = replies.iterator();
            Map<FlagId, Long> events = new HashMap<>();
            for (int i = 0; i < flags.size(); i++) {
                events.put(flags.get(i), ReadCommands.sumOfUsable(sizes.get(i), next));
            }
            Comparator<FlagId> byEvents = Comparator.comparingLong(flag -> -events.getOrDefault(flag, 0L));
            return flags.stream()
                    .sorted(byEvents.thenComparing(FlagId::value, ReadCommands.BY_ID))
                    .toList();
        });
    }
}
