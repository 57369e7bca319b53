package io.flagtally.store.redis;

import io.vertx.mutiny.redis.client.Command;
import io.vertx.mutiny.redis.client.Request;
import io.vertx.mutiny.redis.client.Response;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The commit markers of one process: a number in each Redis master, which every flush moves on by one, after its counts
 * and on the same connection. A marker that is lower than it was acknowledged to be says that the store lost acknowledged
 * flushes; each flush and each look at the store sees that. Safe for use by several threads.
 *
 * <p>A process has markers of its own, so that the flushes of another one cannot hide a loss. On a cluster each master
 * has one, at a key whose hash tag falls into one of its slots; the key moves with the slot. A master that has none of the
 * {@value #TAGS} tags (fewer than some 50 slots) has no marker.
 *
 * <p>Memory: the times of the latest {@value #TIMES_MAX} flushes of a marker, those before them at growing distances.
 */
final class CommitMarkers {

    /** How long the markers of a process that has ended stay. */
    static final Duration KEPT = Duration.ofDays(1);

    static final int TIMES_MAX = 2_048;

    private static final int TAGS = 1_024;
    private static final int[] TAG_SLOTS = tagSlots();

    /** A marker on its way: what it must come to lie above. */
    record Move(String key, long floor) {

        Request request() {
            return Request.cmd(Command.INCR).arg(key);
        }

        /** Asks where it stands, and keeps it for some time more. */
        Request look() {
            return Request.cmd(Command.GETEX).arg(key).arg("EX").arg(KEPT.toSeconds());
        }

        /** Makes it if it is not there. */
        Request make() {
            return Request.cmd(Command.SET).arg(key).arg(0).arg("NX").arg("EX").arg(KEPT.toSeconds());
        }
    }

    /**
     * Acknowledged flushes that are gone.
     *
     * @param flushes how many
     * @param from when the last one was acknowledged that is still there
     */
    record Loss(long flushes, Instant from) {}

    private static final class Marker {
        private final TreeMap<Long, Instant> times = new TreeMap<>();
        private long acknowledged;
    }

    private final String process;
    private final Instant begin;
    private final boolean cluster;
    private final Map<String, Marker> markers = new HashMap<>();
    private List<String> current = List.of();

    CommitMarkers(String process, Instant begin, boolean cluster) {
        this.process = process;
        this.begin = begin;
        this.cluster = cluster;
        if (!cluster) {
            use(List.of(RedisKeys.commitMarker(process, "")));
        }
    }

    /** What asks a cluster for its masters; null where there is nothing to ask. */
    @Nullable
    Request masters() {
        return cluster ? Request.cmd(Command.CLUSTER).arg("SLOTS") : null;
    }

    /** Takes the answer to {@link #masters()}. */
    void placed(Response slots) {
        Map<String, String> byMaster = new TreeMap<>();
        for (int tag = 0; tag < TAGS; tag++) {
            for (Response range : slots) {
                int slot = TAG_SLOTS[tag];
                if (range.get(0).toInteger() <= slot && slot <= range.get(1).toInteger()) {
                    Response master = range.get(2);
                    String key = RedisKeys.commitMarker(process, Integer.toString(tag));
                    byMaster.putIfAbsent(master.get(0) + ":" + master.get(1), key);
                }
            }
        }
        use(List.copyOf(byMaster.values()));
    }

    /** The markers that a flush moves, as they stand at its begin. */
    synchronized List<Move> moves() {
        List<Move> moves = new ArrayList<>(current.size());
        current.forEach(key -> moves.add(new Move(key, marker(key).acknowledged)));
        return moves;
    }

    /** All markers, as they stand now. */
    synchronized List<Move> all() {
        List<Move> all = new ArrayList<>(markers.size());
        markers.forEach((key, marker) -> all.add(new Move(key, marker.acknowledged)));
        return all;
    }

    /** Takes where a flush that is acknowledged now has moved a marker to; gives what that shows to be lost, or null. */
    synchronized @Nullable Loss moved(Move move, long value, Instant now) {
        Marker marker = marker(move.key);
        Loss loss = value <= move.floor ? loss(marker, value - 1) : null;
        marker.acknowledged = loss == null ? Math.max(marker.acknowledged, value) : value;
        marker.times.put(value, now);
        if (marker.times.size() > TIMES_MAX) {
            thinOut(marker.times);
        }
        return loss;
    }

    /** Takes where a marker was seen; gives what that shows to be lost, or null. */
    synchronized @Nullable Loss seen(Move move, long value) {
        Marker marker = marker(move.key);
        if (value >= move.floor) {
            return null;
        }
        Loss loss = loss(marker, value);
        marker.acknowledged = value;
        return loss;
    }

    private synchronized void use(List<String> keys) {
        current = keys;
        keys.forEach(this::marker);
    }

    private Marker marker(String key) {
        return markers.computeIfAbsent(key, k -> new Marker());
    }

    private Loss loss(Marker marker, long left) {
        Map.Entry<Long, Instant> last = marker.times.floorEntry(left);
        Loss loss = new Loss(marker.acknowledged - left, last == null ? begin : last.getValue());
        marker.times.tailMap(left, false).clear();
        return loss;
    }

    /** Drops every second one of the older half. */
    private static void thinOut(TreeMap<Long, Instant> times) {
        Iterator<Long> flushes = times.keySet().iterator();
        for (int i = 0; i < TIMES_MAX / 2; i++) {
            flushes.next();
            if (i % 2 == 1) {
                flushes.remove();
            }
        }
    }

    private static int[] tagSlots() {
        int[] slots = new int[TAGS];
        for (int tag = 0; tag < TAGS; tag++) {
            slots[tag] = KeySlot.of(Integer.toString(tag));
        }
        return slots;
    }
}
