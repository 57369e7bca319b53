package io.flagtally.store.redis;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagId;
import io.flagtally.event.VariationId;
import io.flagtally.rollup.TimeBucket;
import io.flagtally.series.FlagSeries;
import io.flagtally.series.FlagSeries.VariationSeries;
import io.flagtally.series.SeriesReader;
import io.flagtally.store.redis.RememberedSeries.Answer;
import io.flagtally.store.redis.RememberedSeries.Question;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.redis.client.Request;
import io.vertx.mutiny.redis.client.Response;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.function.Function;

/**
 * Reads the counters of a flag in two round trips: which variations it has, then everything else in one pipeline. Uses
 * ZRANGE, MGET and PFCOUNT only.
 *
 * <p>A series that was read before takes one round trip, for its variations and event counters, if those are unchanged.
 */
@Singleton
public final class RedisSeriesReader implements SeriesReader {

    /** One call is one round trip. */
    private final Function<List<Request>, Uni<List<Response>>> redis;

    private final RedisKeys keys;
    private final RememberedSeries remembered = new RememberedSeries();

    /** @param writes told of each doubt about the store */
    @Inject
    RedisSeriesReader(RedisReadLink link, RedisLink writes, RedisKeys keys) {
        this(link, keys);
        writes.onDoubt(remembered::forget);
    }

    RedisSeriesReader(RedisReadLink link, RedisKeys keys) {
        this(link::send, keys);
        link.onLost(remembered::forget);
    }

    RedisSeriesReader(Function<List<Request>, Uni<List<Response>>> redis, RedisKeys keys) {
        this.redis = redis;
        this.keys = keys;
    }

    @Override
    public Uni<FlagSeries> read(EnvironmentId environment, FlagId flag, List<TimeBucket> buckets) {
        Question question = new Question(environment, flag, buckets);
        long generation = remembered.generation();
        Answer before = remembered.get(question);
        return before == null ? first(question, generation) : again(question, before, generation);
    }

    private Uni<FlagSeries> first(Question question, long generation) {
        return redis.apply(List.of(variationsOf(question)))
                .chain(replies -> new FlagRead(question, ReadCommands.variationIds(replies.get(0)), generation).read());
    }

    private Uni<FlagSeries> again(Question question, Answer before, long generation) {
        FlagRead read = new FlagRead(question, before.variations(), generation);
        List<Request> requests = new ArrayList<>();
        requests.add(variationsOf(question));
        requests.addAll(ReadCommands.numbers(read.events));
        return redis.apply(requests).chain(all -> {
            Iterator<Response> replies = all.iterator();
            List<VariationId> variations = ReadCommands.variationIds(replies.next());
            List<Long> counts = ReadCommands.numbers(read.events.size(), replies);
            boolean unchanged = remembered.holds(generation)
                    && variations.equals(before.variations())
                    && counts.equals(before.counts());
            return unchanged
                    ? Uni.createFrom().item(before.series())
                    : new FlagRead(question, variations, generation).read();
        });
    }

    private Request variationsOf(Question question) {
        return ReadCommands.variations(keys.variations(question.environment(), question.flag()));
    }

    /** The second round trip: for each variation its event counters, its user counters, and the union of the latter. */
    private final class FlagRead {
        private final Question question;
        private final List<TimeBucket> buckets;
        private final List<VariationId> variations;
        private final long generation;
        private final List<String> events = new ArrayList<>();
        private final List<List<String>> users = new ArrayList<>();

        FlagRead(Question question, List<VariationId> variations, long generation) {
            this.generation = generation;
            this.question = question;
            this.buckets = question.buckets();
            this.variations = variations;
            EnvironmentId environment = question.environment();
            for (VariationId variation : variations) {
                buckets.forEach(bucket -> events.add(keys.events(environment, question.flag(), variation, bucket)));
                users.add(buckets.stream()
                        .map(bucket -> keys.users(environment, question.flag(), variation, bucket))
                        .toList());
            }
        }

        Uni<FlagSeries> read() {
            List<Request> requests = new ArrayList<>(ReadCommands.numbers(events));
            for (List<String> ofVariation : users) {
                ofVariation.forEach(key -> requests.add(ReadCommands.users(List.of(key))));
                requests.add(ReadCommands.users(ofVariation));
            }
            return redis.apply(requests).map(replies -> assemble(replies.iterator()));
        }

        private FlagSeries assemble(Iterator<Response> replies) {
            List<Long> numbers = ReadCommands.numbers(events.size(), replies);
            Iterator<Long> counts = numbers.iterator();
            List<VariationSeries> series = new ArrayList<>();
            for (VariationId variation : variations) {
                series.add(new VariationSeries(
                        variation,
                        buckets.stream().map(bucket -> counts.next()).toList(),
                        buckets.stream().map(bucket -> replies.next().toLong()).toList(),
                        replies.next().toLong()));
            }
            if (!variations.contains(VariationId.DEFAULT)) {
                List<Long> zeros = Collections.nCopies(buckets.size(), 0L);
                series.add(new VariationSeries(VariationId.DEFAULT, zeros, zeros, 0));
            }
            FlagSeries found = new FlagSeries(buckets, series);
            remembered.put(question, new Answer(variations, numbers, found), generation);
            return found;
        }
    }
}
