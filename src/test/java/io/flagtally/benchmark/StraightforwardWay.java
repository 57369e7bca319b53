package io.flagtally.benchmark;

import io.flagtally.codec.BucketeerCodec;
import io.flagtally.codec.EventCodec;
import io.flagtally.codec.MalformedEventException;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.EvaluationEvent;
import io.flagtally.event.FlagEvent;
import io.flagtally.event.SourceId;
import io.flagtally.rollup.BucketCalendar;
import io.vertx.mutiny.core.Vertx;
import io.vertx.mutiny.redis.client.Command;
import io.vertx.mutiny.redis.client.Redis;
import io.vertx.mutiny.redis.client.Request;
import io.vertx.redis.client.RedisOptions;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;

/** What one writes first: for each event INCR and PFADD on its day and on its hour, pipelined. Counts repeats twice. */
final class StraightforwardWay {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Redis redis;
    private final int flushSize;
    private final BucketCalendar calendar = new BucketCalendar(ZoneOffset.UTC);
    private long sent;
    private List<Request> gathered = new ArrayList<>();

    StraightforwardWay(Vertx vertx, String url, int flushSize) {
        RedisOptions options = new RedisOptions().setConnectionString(url).setMaxWaitingHandlers(4 * flushSize + 1_000);
        this.redis = Redis.createClient(vertx, options);
        this.flushSize = flushSize;
    }

    /** Counts everything; returns how many commands that took. */
    long run(List<byte[]> payloads) {
        BucketeerCodec codec = new BucketeerCodec();
        for (byte[] payload : payloads) {
            codec.decode(payload, EnvironmentId.DEFAULT, SourceId.WEB, new EventCodec.Visitor() {
                @Override
                public void event(FlagEvent event, int offset, int length) {
                    add((EvaluationEvent) event);
                }

                @Override
                public void malformed(MalformedEventException fault, int offset, int length) {
                    throw new IllegalStateException(fault);
                }
            });
        }
        flush();
        redis.close();
        return sent;
    }

    private void add(EvaluationEvent event) {
        String day = calendar.dayStart(event.time()).getEpochSecond() + ":" + event.flag() + ":" + event.variation();
        String hour = calendar.hourStart(event.time()).getEpochSecond() + ":" + event.flag() + ":" + event.variation();
        gathered.add(Request.cmd(Command.INCR).arg("ec:" + day));
        gathered.add(
                Request.cmd(Command.PFADD).arg("uc:" + day).arg(event.user().value()));
        gathered.add(Request.cmd(Command.INCR).arg("ech:" + hour));
        gathered.add(
                Request.cmd(Command.PFADD).arg("uch:" + hour).arg(event.user().value()));
        if (gathered.size() >= 4 * flushSize) {
            flush();
        }
    }

    private void flush() {
        if (!gathered.isEmpty()) {
            sent += gathered.size();
            var unused = redis.batch(gathered).await().atMost(PATIENCE);
            gathered = new ArrayList<>();
        }
    }
}
