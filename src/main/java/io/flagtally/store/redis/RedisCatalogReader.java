package io.flagtally.store.redis;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagId;
import io.flagtally.event.IdFault;
import io.flagtally.event.VariationId;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.rollup.TimeBucket;
import io.flagtally.series.CatalogReader;
import io.flagtally.series.EnvironmentScope;
import io.flagtally.series.FlagPage;
import io.flagtally.series.FlagQuery;
import io.flagtally.series.SeenEnvironment;
import io.flagtally.series.SeenFlag;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.redis.client.Request;
import io.vertx.mutiny.redis.client.Response;
import io.vertx.redis.client.ResponseType;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.stream.IntStream;

/**
 * Reads what has been seen, and its totals of today: flags in three round trips, environments in one and three for
 * each. Uses commands that read only. What a key holds that is no counter adds nothing, and hides nothing else.
 */
@Singleton
public final class RedisCatalogReader implements CatalogReader {

    /** Most flags of an environment that are read; as many as are kept. */
    private static final int FLAGS_MAX = 10_000;

    /** Most user counters that are merged for the total of an environment: about 17 ms of Redis' one thread. */
    static final int MERGED_COUNTERS_MAX = 512;

    /** An id and the second of its last event. */
    private record Scored(String id, Instant lastEvent) {}

    /** A flag with those of its variations whose counters of today are wanted. */
    private record FlagVariations(FlagId flag, List<VariationId> variations) {}

    private final RedisReadLink link;
    private final RedisKeys keys;

    @Inject
    RedisCatalogReader(RedisReadLink link, RedisKeys keys) {
        this.link = link;
        this.keys = keys;
    }

    @Override
    public Uni<List<SeenEnvironment>> environments(EnvironmentScope scope, TimeBucket today) {
        return seen(scope)
                .onItem()
                .transformToMulti(seen -> Multi.createFrom().iterable(seen))
                .onItem()
                .transformToUniAndConcatenate(scored -> environment(scored, today))
                .collect()
                .asList();
    }

    @Override
    public Uni<FlagPage> flags(EnvironmentId environment, FlagQuery query, TimeBucket today) {
        Request all = ReadCommands.highestScored(keys.flags(environment), FLAGS_MAX);
        return link.send(List.of(all)).chain(replies -> {
            String part = query.contains().toLowerCase(Locale.ROOT);
            List<Scored> matching = scored(replies.get(0)).stream()
                    .filter(flag -> flag.id().toLowerCase(Locale.ROOT).contains(part)
                            || query.named().contains(new FlagId(flag.id())))
                    .sorted(Comparator.comparing(Scored::id, ReadCommands.BY_ID))
                    .toList();
            List<Scored> following = matching.stream()
                    .filter(flag -> ReadCommands.BY_ID.compare(flag.id(), query.after()) > 0)
                    .toList();
            List<Scored> page = following.subList(0, Math.min(query.limit(), following.size()));
            return page(environment, page, today)
                    .map(flags -> new FlagPage(flags, matching.size(), following.size() > page.size()));
        });
    }

    private Uni<List<Scored>> seen(EnvironmentScope scope) {
        EnvironmentId only = scope.only();
        if (only == null) {
            return link.send(List.of(ReadCommands.highestScored(RedisKeys.ENVIRONMENTS, scope.limit())))
                    .map(replies -> scored(replies.get(0)));
        }
        return link.send(List.of(ReadCommands.score(RedisKeys.ENVIRONMENTS, only.value())))
                .map(replies -> replies.get(0) == null
                        ? List.of()
                        : List.of(new Scored(only.value(), ReadCommands.second(replies.get(0)))));
    }

    private Uni<SeenEnvironment> environment(Scored seen, TimeBucket today) {
        EnvironmentId environment = new EnvironmentId(seen.id());
        String flags = keys.flags(environment);
        long start = today.start().getEpochSecond();
        return link.send(List.of(ReadCommands.size(flags), ReadCommands.membersSince(flags, start, FLAGS_MAX)))
                .chain(replies -> {
                    long count = replies.get(0).toLong();
                    List<FlagId> active = new ArrayList<>();
                    for (Response flag : replies.get(1)) {
                        if (IdFault.of(flag.toString()) == null) {
                            active.add(new FlagId(flag.toString()));
                        }
                    }
                    return variations(environment, active, today)
                            .chain(variations -> total(environment, variations, today))
                            .map(total -> new SeenEnvironment(
                                    environment, seen.lastEvent(), count, total.events(), total.uniques()));
                });
    }

    private Uni<List<FlagVariations>> variations(EnvironmentId environment, List<FlagId> flags, TimeBucket today) {
        long start = today.start().getEpochSecond();
        return link.send(flags.stream()
                        .map(flag -> ReadCommands.variationsSince(keys.variations(environment, flag), start))
                        .toList())
                .map(replies -> {
                    List<FlagVariations> variations = new ArrayList<>(flags.size());
                    for (int i = 0; i < flags.size(); i++) {
                        variations.add(new FlagVariations(flags.get(i), ReadCommands.variationIds(replies.get(i))));
                    }
                    return variations;
                });
    }

    /** @param uniques empty where they would be too many to merge, or lie in several slots */
    private record Total(long events, OptionalLong uniques) {}

    private Uni<Total> total(EnvironmentId environment, List<FlagVariations> flags, TimeBucket today) {
        List<Request> requests = new ArrayList<>();
        List<Integer> sizes = new ArrayList<>();
        List<String> users = new ArrayList<>();
        for (FlagVariations flag : flags) {
            requests.addAll(ReadCommands.numbers(events(environment, flag, today)));
            sizes.add(flag.variations().size());
            users.addAll(users(environment, flag, today));
        }
        boolean merge =
                users.isEmpty() || users.size() <= MERGED_COUNTERS_MAX && (!link.cluster() || flags.size() == 1);
        Uni<Long> events = link.send(requests).map(replies -> {
            Iterator<Response> next = replies.iterator();
            return sizes.stream()
                    .mapToLong(size -> ReadCommands.sumOfUsable(size, next))
                    .sum();
        });
        return Uni.combine()
                .all()
                .unis(events, merge ? union(users) : Uni.createFrom().item(OptionalLong.empty()))
                .with(Total::new);
    }

    private Uni<OptionalLong> union(List<String> users) {
        if (users.isEmpty()) {
            return Uni.createFrom().item(OptionalLong.of(0));
        }
        return link.send(List.of(ReadCommands.users(users)))
                .map(replies -> OptionalLong.of(replies.get(0).toLong()))
                .onFailure(RedisCatalogReader::isOfAKey)
                .recoverWithItem(OptionalLong.empty());
    }

    private Uni<List<SeenFlag>> page(EnvironmentId environment, List<Scored> page, TimeBucket today) {
        List<Request> requests = page.stream()
                .map(flag -> ReadCommands.variations(keys.variations(environment, new FlagId(flag.id()))))
                .toList();
        return link.send(requests)
                .map(replies -> IntStream.range(0, page.size())
                        .mapToObj(i -> new FlagVariations(
                                new FlagId(page.get(i).id()), ReadCommands.variationIds(replies.get(i))))
                        .toList())
                .chain(flags -> seenFlags(environment, page, flags, today)
                        .onFailure(RedisCatalogReader::isOfAKey)
                        .recoverWithUni(() -> oneByOne(environment, page, flags, today)));
    }

    private Uni<List<SeenFlag>> seenFlags(
            EnvironmentId environment, List<Scored> page, List<FlagVariations> flags, TimeBucket today) {
        List<Request> counters = new ArrayList<>();
        for (int i = 0; i < page.size(); i++) {
            FlagVariations flag = flags.get(i);
            if (isOfToday(page.get(i), flag, today)) {
                counters.addAll(ReadCommands.numbers(events(environment, flag, today)));
                counters.add(ReadCommands.users(users(environment, flag, today)));
            }
        }
        return link.send(counters).map(counts -> seenFlags(page, flags, counts.iterator(), today));
    }

    /** So that a key that holds something else takes no other flag with it. */
    private Uni<List<SeenFlag>> oneByOne(
            EnvironmentId environment, List<Scored> page, List<FlagVariations> flags, TimeBucket today) {
        return Multi.createFrom()
                .range(0, page.size())
                .onItem()
                .transformToUniAndConcatenate(
                        i -> seenFlags(environment, page.subList(i, i + 1), flags.subList(i, i + 1), today)
                                .map(seen -> seen.get(0))
                                .onFailure(RedisCatalogReader::isOfAKey)
                                .recoverWithItem(() -> seenFlag(page.get(i), flags.get(i), 0, 0)))
                .collect()
                .asList();
    }

    private static List<SeenFlag> seenFlags(
            List<Scored> page, List<FlagVariations> flags, Iterator<Response> counts, TimeBucket today) {
        List<SeenFlag> seen = new ArrayList<>(page.size());
        for (int i = 0; i < page.size(); i++) {
            FlagVariations flag = flags.get(i);
            boolean ofToday = isOfToday(page.get(i), flag, today);
            long events = ofToday ? sum(flag.variations().size(), counts) : 0;
            long uniques = ofToday ? counts.next().toLong() : 0;
            seen.add(seenFlag(page.get(i), flag, events, uniques));
        }
        return seen;
    }

    private static SeenFlag seenFlag(Scored scored, FlagVariations flag, long events, long uniques) {
        return new SeenFlag(flag.flag(), scored.lastEvent(), flag.variations(), events, uniques);
    }

    private static boolean isOfAKey(Throwable failure) {
        return failure instanceof RefusedException refused && refused.code() == ErrorCode.COUNTER_UNUSABLE;
    }

    private static boolean isOfToday(Scored scored, FlagVariations flag, TimeBucket today) {
        return !scored.lastEvent().isBefore(today.start()) && !flag.variations().isEmpty();
    }

    private List<String> events(EnvironmentId environment, FlagVariations flag, TimeBucket today) {
        return flag.variations().stream()
                .map(variation -> keys.events(environment, flag.flag(), variation, today))
                .toList();
    }

    private List<String> users(EnvironmentId environment, FlagVariations flag, TimeBucket today) {
        return flag.variations().stream()
                .map(variation -> keys.users(environment, flag.flag(), variation, today))
                .toList();
    }

    private static long sum(int count, Iterator<Response> replies) {
        return ReadCommands.numbers(count, replies).stream()
                .mapToLong(Long::longValue)
                .sum();
    }

    /** Returns members and scores of a reply, which are pairs or alternate; what cannot be an id is left out. */
    private static List<Scored> scored(Response reply) {
        List<Scored> members = new ArrayList<>();
        Iterator<Response> next = reply.iterator();
        while (next.hasNext()) {
            Response first = next.next();
            boolean pair = first.type() == ResponseType.MULTI;
            String id = (pair ? first.get(0) : first).toString();
            Instant lastEvent = ReadCommands.second(pair ? first.get(1) : next.next());
            if (IdFault.of(id) == null) {
                members.add(new Scored(id, lastEvent));
            }
        }
        return members;
    }
}
