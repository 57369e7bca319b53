package io.flagtally.store.redis;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagId;
import io.flagtally.event.VariationId;
import io.flagtally.rollup.TimeBucket;
import io.flagtally.series.FlagSeries;
import io.flagtally.series.FlagSeries.VariationSeries;
import io.flagtally.series.SeriesReader;
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
 */
@Singleton
public final class RedisSeriesReader implements SeriesReader {

    /** One call is one round trip. */
    private final Function<List<Request>, Uni<List<Response>>> redis;

    private final RedisKeys keys;

    @Inject
    RedisSeriesReader(RedisReadLink link, RedisKeys keys) {
        this(link::send, keys);
    }

    RedisSeriesReader(Function<List<Request>, Uni<List<Response>>> redis, RedisKeys keys) {
        this.redis = redis;
        this.keys = keys;
    }

    @Override
    public Uni<FlagSeries> read(EnvironmentId environment, FlagId flag, List<TimeBucket> buckets) {
        return redis.apply(List.of(ReadCommands.variations(keys.variations(environment, flag))))
                .map(replies -> ReadCommands.variationIds(replies.get(0)))
                .chain(variations -> new FlagRead(environment, flag, buckets, variations).read());
    }

    /** The second round trip: for each variation its event counters, its user counters, and the union of the latter. */
    private final class FlagRead {
        private final List<TimeBucket> buckets;
        private final List<VariationId> variations;
        private final List<String> events = new ArrayList<>();
        private final List<List<String>> users = new ArrayList<>();

        FlagRead(EnvironmentId environment, FlagId flag, List<TimeBucket> buckets, List<VariationId> variations) {
            this.buckets = buckets;
            this.variations = variations;
            for (VariationId variation : variations) {
                buckets.forEach(bucket -> events.add(keys.events(environment, flag, variation, bucket)));
                users.add(buckets.stream()
                        .map(bucket -> keys.users(environment, flag, variation, bucket))
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
            Iterator<Long> counts = ReadCommands.numbers(events.size(), replies).iterator();
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
            return new FlagSeries(buckets, series);
        }
    }
}
