package io.flagtally.store.redis;

import io.flagtally.pipeline.BatchOutcome;
import io.flagtally.pipeline.BatchSink;
import io.flagtally.pipeline.StoreUnavailableException;
import io.flagtally.platform.redis.RedisFailure;
import io.flagtally.platform.redis.RedisScript.Call;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.EventBatch;
import io.flagtally.store.redis.RedisLink.Reply;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.redis.client.Request;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jboss.logging.Logger;

/**
 * Counts the evaluations of a batch in Redis: events and users by variation, day and hour. Goals are left to others.
 *
 * <p>An event is counted once, however often and in whatever grouping it comes within the window
 * ({@link CountRules#window()}): looking for it and counting it are one step of a script. A counter that cannot take
 * its events (a key of another type, an overflow, too many variations) has them rejected and is left as it was; its
 * neighbours are counted.
 *
 * <p>A flush is one round trip, two where the server does not know the script yet; it costs the server O(events +
 * users + counters).
 */
public final class RedisCountSink implements BatchSink {

    private static final Logger LOG = Logger.getLogger(RedisCountSink.class);

    private final RedisLink link;
    private final CountRequests requests;
    private final InstantSource clock;
    private final MeterRegistry meters;
    private final Timer flushes;
    private final DistributionSummary commands;
    private final DistributionSummary cells;

    public RedisCountSink(
            RedisLink link,
            RedisKeys keys,
            BucketCalendar calendar,
            CountRules rules,
            InstantSource clock,
            MeterRegistry meters) {
        this(link, new CountRequests(keys, new CounterRetention(calendar), rules), clock, meters);
    }

    private RedisCountSink(RedisLink link, CountRequests requests, InstantSource clock, MeterRegistry meters) {
        this.link = link;
        this.requests = requests;
        this.clock = clock;
        this.meters = meters;
        flushes = Timer.builder("flagtally.redis.flush")
                .description("Time of a flush that succeeded")
                .publishPercentiles(0.5, 0.99)
                .register(meters);
        commands = DistributionSummary.builder("flagtally.redis.commands")
                .description("Commands of a flush")
                .register(meters);
        cells = DistributionSummary.builder("flagtally.redis.cells")
                .description("Counters that a flush writes to: variations of flags in an hour")
                .register(meters);
    }

    @Override
    public String name() {
        return "counts";
    }

    @Override
    public boolean takesGoals() {
        return false;
    }

    @Override
    public Uni<BatchOutcome> write(EventBatch batch) {
        return Uni.createFrom().deferred(() -> {
            CountFlush flush = new CountFlush(batch, requests, clock.instant());
            if (flush.cells() == 0) {
                return Uni.createFrom().item(flush.outcome());
            }
            Timer.Sample sample = Timer.start();
            return link.use(session -> send(session, flush)).invoke(outcome -> {
                long unused = sample.stop(flushes);
                cells.record(flush.cells());
            });
        });
    }

    @Override
    public RedisCountSink recognisingFor(Duration window) {
        return new RedisCountSink(link, requests.recognisingFor(window), clock, meters);
    }

    private Uni<BatchOutcome> send(RedisLink.Session session, CountFlush flush) {
        List<Call> calls = flush.calls(session.hash(), session.recentUsers());
        List<Request> all = new ArrayList<>(calls.size() + 2);
        calls.forEach(call -> all.add(call.byHash()));
        all.addAll(flush.catalogs());
        commands.record(all.size() + session.commits().commands());
        return session.commits()
                .commit(session, all)
                .chain(replies -> repeatUnknown(session, calls, replies))
                .map(replies -> judge(flush, calls.size(), replies, session.recentUsers()));
    }

    /** Sends the calls again that found no script, this time with its text. */
    private static Uni<List<Reply>> repeatUnknown(RedisLink.Session session, List<Call> calls, List<Reply> replies) {
        Map<Integer, Request> unknown = new TreeMap<>();
        for (int i = 0; i < calls.size(); i++) {
            Throwable failure = replies.get(i).failure();
            if (failure != null && RedisFailure.isNoScript(failure)) {
                unknown.put(i, calls.get(i).byText());
            }
        }
        if (unknown.isEmpty()) {
            return Uni.createFrom().item(replies);
        }
        return session.commits().commit(session, List.copyOf(unknown.values())).map(again -> {
            List<Reply> all = new ArrayList<>(replies);
            int at = 0;
            for (int index : unknown.keySet()) {
                all.set(index, again.get(at++));
            }
            return all;
        });
    }

    private static BatchOutcome judge(CountFlush flush, int calls, List<Reply> replies, RecentUsers recent) {
        if (flush.leftOutInVain(recent)) {
            throw new StoreUnavailableException(
                    "Redis lost something while users were left out that it had; the batch is written again with them",
                    null);
        }
        for (int i = 0; i < replies.size(); i++) {
            Reply reply = replies.get(i);
            if (i >= calls) {
                if (reply.failure() != null) {
                    LOG.warnf("A catalog in Redis cannot be kept: %s", reply.failure());
                }
            } else if (reply.response() != null) {
                flush.take(i, reply.response(), recent);
            } else {
                throw new CountScriptException(String.valueOf(reply.failure()));
            }
        }
        return flush.outcome();
    }
}
