package io.flagtally.store.redis;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.EvaluationEvent;
import io.flagtally.event.FlagId;
import io.flagtally.pipeline.BatchOutcome;
import io.flagtally.pipeline.RejectedEvent;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.redis.RedisScript.Call;
import io.flagtally.rollup.EventBatch;
import io.vertx.mutiny.redis.client.Request;
import io.vertx.mutiny.redis.client.Response;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** One batch on its way into Redis: the script calls it takes, and what their replies mean. Used once. */
final class CountFlush {

    /** Most ids and users of one call; a call holds the server's one thread for a few milliseconds at most. */
    static final int CALL_SIZE_MAX = 8_000;

    /** Most counters of one call. */
    static final int CALL_CELLS_MAX = 200;

    private final CountRequests requests;
    private final Instant now;
    private final List<List<CountCell>> calls = new ArrayList<>();
    private final Map<EnvironmentId, Map<FlagId, Long>> lastSeen = new HashMap<>();
    private final List<RejectedEvent> rejected = new ArrayList<>();
    private final List<List<FreshUsers>> users = new ArrayList<>();
    private boolean usersLeftOut;
    private long generation;
    private long events;
    private long counted;

    CountFlush(EventBatch batch, CountRequests requests, Instant now) {
        this.requests = requests;
        this.now = now;
        Map<String, List<CountCell>> bySlot = new TreeMap<>();
        batch.rollup().counts().forEach((key, delta) -> {
            events += delta.events().size();
            if (requests.isKept(key, now)) {
                bySlot.computeIfAbsent(requests.slotOf(key), slot -> new ArrayList<>())
                        .addAll(CountCell.of(key, delta));
            } else {
                delta.events().forEach(this::rejectAsGone);
            }
        });
        bySlot.values().forEach(this::cut);
    }

    int cells() {
        return calls.stream().mapToInt(List::size).sum();
    }

    /**
     * The script calls, in the order of the replies that {@link #take} wants.
     *
     * @param recent whom not to send again
     */
    List<Call> calls(IdHash hash, RecentUsers recent) {
        generation = recent.begin(now);
        users.clear();
        usersLeftOut = false;
        List<Call> all = new ArrayList<>(calls.size());
        for (List<CountCell> cells : calls) {
            List<FreshUsers> fresh = cells.stream()
                    .map(cell -> FreshUsers.of(cell, hash, recent))
                    .toList();
            users.add(fresh);
            usersLeftOut |= !sendsAll(cells, fresh);
            all.add(requests.call(cells, fresh, hash, now));
        }
        return all;
    }

    /** Whether users were left out that the store may not have: it lost something since, so all must be sent again. */
    boolean leftOutInVain(RecentUsers recent) {
        return usersLeftOut && !recent.holds(generation);
    }

    /** The commands that keep the catalogs; sent along with the calls. */
    List<Request> catalogs() {
        List<Request> commands = new ArrayList<>();
        lastSeen.forEach((environment, flags) -> commands.addAll(requests.catalogs(environment, flags)));
        return commands;
    }

    /** Takes the reply of call number {@code index}; {@code recent} is that of {@link #calls}. */
    void take(int index, Response reply, RecentUsers recent) {
        List<CountCell> cells = calls.get(index);
        for (int i = 0; i < cells.size(); i++) {
            String told = reply.get(i).toString();
            switch (told.charAt(0)) {
                case 'U' -> reject(cells.get(i), ErrorCode.COUNTER_UNUSABLE, unusable(told.substring(2)));
                case 'C' -> reject(cells.get(i), ErrorCode.CARDINALITY, full(told.substring(2)));
                default -> {
                    counted += Long.parseLong(told);
                    recent.confirm(generation, users.get(index).get(i).marks());
                }
            }
        }
    }

    BatchOutcome outcome() {
        return new BatchOutcome(counted, events - counted - rejected.size(), rejected);
    }

    private void cut(List<CountCell> cells) {
        List<CountCell> call = new ArrayList<>();
        int size = 0;
        for (CountCell cell : cells) {
            if (!call.isEmpty() && (size + cell.size() > CALL_SIZE_MAX || call.size() == CALL_CELLS_MAX)) {
                calls.add(call);
                call = new ArrayList<>();
                size = 0;
            }
            call.add(cell);
            size += cell.size();
            lastSeen.computeIfAbsent(cell.key().environment(), environment -> new HashMap<>())
                    .merge(cell.key().flag(), cell.lastSecond(), Math::max);
        }
        calls.add(call);
    }

    private static boolean sendsAll(List<CountCell> cells, List<FreshUsers> fresh) {
        for (int i = 0; i < cells.size(); i++) {
            if (fresh.get(i).ids().size() < cells.get(i).users().size()) {
                return false;
            }
        }
        return true;
    }

    private void reject(CountCell cell, ErrorCode code, String detail) {
        cell.events().forEach(event -> rejected.add(new RejectedEvent(event, code, detail)));
    }

    private void rejectAsGone(EvaluationEvent event) {
        rejected.add(new RejectedEvent(
                event,
                ErrorCode.EVENT_TIME_INVALID,
                "it happened at " + event.time() + ", and the counters of that day are no longer kept"));
    }

    private static String unusable(String key) {
        return "Redis key " + key + " is not what a counter needs there, or is about to overflow; look at it, rename or"
                + " delete it, then redrive";
    }

    private static String full(String key) {
        return "Redis key " + key + " lists as many ids as are allowed (flagtally.counts.variations-max,"
                + " flagtally.counts.flags-max); an id that is made up for each event is a mistake in the application";
    }
}
