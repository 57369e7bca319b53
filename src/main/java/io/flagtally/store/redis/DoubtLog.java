package io.flagtally.store.redis;

import io.flagtally.platform.Availability;
import io.flagtally.platform.redis.RedisChannel;
import io.flagtally.series.Doubt;
import io.micrometer.core.instrument.MeterRegistry;
import io.smallrye.mutiny.Uni;
import io.vertx.core.json.JsonObject;
import io.vertx.mutiny.redis.client.Command;
import io.vertx.mutiny.redis.client.Request;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Tells of each {@link Doubt}: in the log, as a metric, as a note beside readiness, and in a list in Redis that every
 * process answers from. What cannot be listed yet waits, at most {@value #LISTED_MAX} of them. Safe for use by several
 * threads.
 */
final class DoubtLog {

    /** Most doubts of the list; older ones go. */
    static final int LISTED_MAX = 100;

    private static final Logger LOG = Logger.getLogger(DoubtLog.class);

    private final Availability availability;
    private final MeterRegistry meters;
    private final Deque<Doubt> unlisted = new ArrayDeque<>();

    DoubtLog(Availability availability, MeterRegistry meters) {
        this.availability = availability;
        this.meters = meters;
        for (Doubt.Cause cause : Doubt.Cause.values()) {
            meters.counter("flagtally.redis.doubts", "cause", cause.label());
        }
    }

    void tell(Doubt doubt) {
        String sentence =
                "Between " + doubt.from() + " and " + doubt.to() + " counts may have been lost: " + doubt.detail();
        LOG.warn(sentence);
        meters.counter("flagtally.redis.doubts", "cause", doubt.cause().label()).increment();
        availability.note("doubt " + doubt.cause().label(), sentence);
        synchronized (unlisted) {
            if (unlisted.size() == LISTED_MAX) {
                unlisted.removeFirst();
            }
            unlisted.addLast(doubt);
        }
    }

    /** Lists what is not listed yet. A doubt whose reply is lost may be listed twice. */
    Uni<Void> list(RedisChannel channel) {
        List<Doubt> some;
        synchronized (unlisted) {
            some = List.copyOf(unlisted);
        }
        if (some.isEmpty()) {
            return Uni.createFrom().voidItem();
        }
        Request push = Request.cmd(Command.LPUSH).arg(RedisKeys.DOUBTS);
        some.forEach(doubt -> push.arg(encode(doubt)));
        Request trim = Request.cmd(Command.LTRIM).arg(RedisKeys.DOUBTS).arg(0).arg(LISTED_MAX - 1);
        return Uni.join()
                .all(OwnKeys.send(channel, RedisKeys.DOUBTS, push), OwnKeys.send(channel, RedisKeys.DOUBTS, trim))
                .andFailFast()
                .invoke(() -> {
                    synchronized (unlisted) {
                        unlisted.removeAll(some);
                    }
                })
                .replaceWithVoid();
    }

    static String encode(Doubt doubt) {
        return new JsonObject()
                .put("cause", doubt.cause().name())
                .put("from", doubt.from().toString())
                .put("to", doubt.to().toString())
                .put("process", doubt.process())
                .put("detail", doubt.detail())
                .encode();
    }

    /** Returns the doubt that {@code text} encodes, or null if it encodes none. */
    static @Nullable Doubt decode(String text) {
        try {
            JsonObject json = new JsonObject(text);
            return new Doubt(
                    Doubt.Cause.valueOf(json.getString("cause")),
                    Instant.parse(json.getString("from")),
                    Instant.parse(json.getString("to")),
                    json.getString("process", ""),
                    json.getString("detail", ""));
        } catch (IllegalArgumentException | DateTimeException | NullPointerException | ClassCastException e) {
            LOG.debugf("Not a doubt: %s", text);
            return null;
        }
    }
}
