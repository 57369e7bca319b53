package io.flagtally.store.redis;

import io.flagtally.rollup.TimeBucket;
import io.flagtally.store.redis.RedisKeys.CounterKey;
import io.flagtally.store.redis.RedisLink.Reply;
import io.flagtally.store.redis.RedisLink.Session;
import io.micrometer.core.instrument.MeterRegistry;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.redis.client.Command;
import io.vertx.mutiny.redis.client.Request;
import io.vertx.mutiny.redis.client.Response;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Cleans up counters that carry no expiry: imported ones, and those of a server that lost expiries. Past their
 * retention they are deleted, otherwise they get the expiry that counting would have given them. Everything else is
 * left alone.
 *
 * <p>Goes through all keys in steps of two short round trips with a pause between them, so that counting goes on
 * meanwhile. One process at a time; a second one reports {@link SweepReport#SKIPPED}. A sweep that ends early can be
 * run again from the start. It covers one server: on Redis Cluster there is no sweep.
 */
final class CounterSweep {

    /** A process that has not done a step for so long no longer keeps others from sweeping. */
    private static final Duration LEASE = Duration.ofMinutes(1);

    private static final Pattern LIKE_A_COUNTER = Pattern.compile("(?s)([^:]*:)?(ec|uc|ech|uch):.*");

    /** A counter without an expiry, and the one it should have. */
    private record Stray(String key, Instant expiry) {}

    private final RedisLink link;
    private final RedisKeys keys;
    private final CounterRetention retention;
    private final InstantSource clock;
    private final int stepSize;
    private final Duration pause;
    private final MeterRegistry meters;

    CounterSweep(
            RedisLink link,
            RedisKeys keys,
            CounterRetention retention,
            InstantSource clock,
            int stepSize,
            Duration pause,
            MeterRegistry meters) {
        this.link = link;
        this.keys = keys;
        this.retention = retention;
        this.clock = clock;
        this.stepSize = stepSize;
        this.pause = pause;
        this.meters = meters;
    }

    /** Sweeps once. Fails with {@link io.flagtally.pipeline.StoreUnavailableException} when Redis goes away. */
    Uni<SweepReport> sweep() {
        Request lock = Request.cmd(Command.SET)
                .arg(RedisKeys.SWEEP_LOCK)
                .arg("held")
                .arg("NX")
                .arg("PX")
                .arg(LEASE.toMillis());
        return link.use(session -> session.send().apply(lock).map(reply -> reply != null))
                .chain(locked -> locked ? sweepLocked() : Uni.createFrom().item(SweepReport.SKIPPED))
                .invoke(this::count);
    }

    private Uni<SweepReport> sweepLocked() {
        Progress progress = new Progress();
        return Uni.createFrom()
                .deferred(() -> link.use(session -> step(session, progress)))
                .repeat()
                .withDelay(pause)
                .until(Progress::isDone)
                .collect()
                .last()
                .onItemOrFailure()
                .call(this::unlock)
                .map(last -> progress.report());
    }

    private Uni<?> unlock() {
        Request unlock = Request.cmd(Command.DEL).arg(RedisKeys.SWEEP_LOCK);
        return link.use(session -> session.send().apply(unlock)).onFailure().recoverWithNull();
    }

    private Uni<Progress> step(Session session, Progress progress) {
        Request scan =
                Request.cmd(Command.SCAN).arg(progress.cursor).arg("COUNT").arg(stepSize);
        Request keepLock =
                Request.cmd(Command.PEXPIRE).arg(RedisKeys.SWEEP_LOCK).arg(LEASE.toMillis());
        return Uni.join()
                .all(session.send().apply(scan), session.send().apply(keepLock))
                .andFailFast()
                .chain(replies -> {
                    List<CounterKey> found = progress.take(replies.get(0), keys);
                    return strays(session, found).chain(strays -> mend(session, strays, progress));
                });
    }

    /** Those of {@code found} that have no expiry. */
    private Uni<List<Stray>> strays(Session session, List<CounterKey> found) {
        List<Stray> all = found.stream()
                .map(counter -> new Stray(
                        keys.counter(
                                counter.kind(),
                                counter.environment(),
                                counter.flag(),
                                counter.variation(),
                                counter.start()),
                        retention.expiry(new TimeBucket(counter.kind().granularity, counter.start()))))
                .toList();
        List<Request> questions = all.stream()
                .map(stray -> Request.cmd(Command.PTTL).arg(stray.key))
                .toList();
        return RedisLink.sendAll(session, questions).map(replies -> {
            List<Stray> strays = new ArrayList<>();
            for (int i = 0; i < all.size(); i++) {
                Response left = replies.get(i).response();
                if (left != null && left.toLong() == -1) {
                    strays.add(all.get(i));
                }
            }
            return strays;
        });
    }

    private Uni<Progress> mend(Session session, List<Stray> strays, Progress progress) {
        Instant now = clock.instant();
        List<Request> commands = strays.stream()
                .map(stray -> stray.expiry.isAfter(now)
                        ? Request.cmd(Command.EXPIREAT).arg(stray.key).arg(stray.expiry.getEpochSecond())
                        : Request.cmd(Command.UNLINK).arg(stray.key))
                .toList();
        return RedisLink.sendAll(session, commands).map(replies -> {
            for (int i = 0; i < strays.size(); i++) {
                progress.mended(strays.get(i).expiry.isAfter(now), replies.get(i));
            }
            return progress;
        });
    }

    private void count(SweepReport report) {
        meters.counter("flagtally.redis.sweep.keys", "result", "deleted").increment(report.deleted());
        meters.counter("flagtally.redis.sweep.keys", "result", "expiring").increment(report.expiring());
        meters.counter("flagtally.redis.sweep.keys", "result", "malformed").increment(report.malformed());
    }

    /** How far a sweep has come. Its steps follow one another, so one thread at a time has it. */
    private static final class Progress {
        private final List<String> malformedSample = new ArrayList<>();
        private String cursor = "0";
        private boolean done;
        private long scanned;
        private long deleted;
        private long expiring;
        private long malformed;

        List<CounterKey> take(Response scanReply, RedisKeys keys) {
            cursor = scanReply.get(0).toString();
            done = cursor.equals("0");
            List<CounterKey> counters = new ArrayList<>();
            for (Response name : scanReply.get(1)) {
                scanned++;
                String key = name.toString();
                CounterKey counter = keys.parse(key);
                if (counter != null) {
                    counters.add(counter);
                } else if (LIKE_A_COUNTER.matcher(key).matches()) {
                    malformed++;
                    if (malformedSample.size() < SweepReport.SAMPLE_MAX) {
                        malformedSample.add(key);
                    }
                }
            }
            return counters;
        }

        void mended(boolean kept, Reply reply) {
            boolean changed = reply.response() != null && reply.response().toLong() == 1;
            if (changed && kept) {
                expiring++;
            } else if (changed) {
                deleted++;
            }
        }

        boolean isDone() {
            return done;
        }

        SweepReport report() {
            return new SweepReport(true, scanned, deleted, expiring, malformed, malformedSample);
        }
    }
}
