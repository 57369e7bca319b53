package io.flagtally.store.redis;

import io.flagtally.platform.Availability;
import io.flagtally.platform.redis.ServerInfo;
import io.flagtally.series.Doubt;
import io.flagtally.series.Doubt.Cause;
import io.flagtally.store.redis.CommitMarkers.Loss;
import io.flagtally.store.redis.CommitMarkers.Move;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.mutiny.redis.client.Response;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * What this process knows of the store that it writes to, held against what it sees: a store that lost something, was
 * emptied, restarted, replaced, or made to drop keys, becomes a {@link Doubt}. Safe for use by several threads.
 *
 * <p>Nothing of it decides how events are counted; that is asked of the store at each new connection.
 */
final class StoreMemory {

    private final InstantSource clock;
    private final DoubtLog doubts;
    private final CommitMarkers markers;
    private final RecentUsers recentUsers = new RecentUsers();
    private final String process;
    private final AtomicLong evicted = new AtomicLong();

    private final Map<String, ServerInfo> servers = new HashMap<>();
    private volatile Runnable onDoubt = () -> {};
    private @Nullable String idKey;
    private Instant safe;

    StoreMemory(boolean cluster, InstantSource clock, Availability availability, MeterRegistry meters) {
        this.clock = clock;
        this.doubts = new DoubtLog(availability, meters);
        byte[] name = new byte[4];
        new SecureRandom().nextBytes(name);
        process = HexFormat.of().formatHex(name);
        safe = clock.instant();
        markers = new CommitMarkers(process, safe, cluster);
        meters.gauge("flagtally.redis.evicted.keys", evicted);
    }

    /** Sets what happens at each doubt, besides telling it. */
    void onDoubt(Runnable action) {
        onDoubt = action;
    }

    DoubtLog doubts() {
        return doubts;
    }

    CommitMarkers markers() {
        return markers;
    }

    /** The users that this process knows the store to have; none of them any more once there is a doubt. */
    RecentUsers recentUsers() {
        return recentUsers;
    }

    /** The id key that this process last saw in force, to be put back where there is none. */
    synchronized @Nullable String idKey() {
        return idKey;
    }

    /** Takes where the markers of a flush stand that is written now. */
    synchronized void committed(List<Move> moves, List<Response> values) {
        Instant now = clock.instant();
        for (int i = 0; i < moves.size(); i++) {
            told(markers.moved(moves.get(i), values.get(i).toLong(), now), now);
        }
        safe = now;
    }

    /**
     * Takes what a look at the store shows.
     *
     * @param masters the servers that take writes
     * @param key the id key in force
     * @param made whether this look put it there
     * @param looks the markers, with what was seen of each
     * @param toldEvictions of how many dropped keys of a server some process has told
     */
    synchronized void observed(
            List<ServerInfo> masters,
            String key,
            boolean made,
            Map<Move, Long> looks,
            Map<String, Long> toldEvictions) {
        Instant now = clock.instant();
        if (idKey != null && (made || !idKey.equals(key))) {
            tell(Cause.INSTALLATION_LOST, safe, now, "Redis was emptied; what this installation had fixed was gone.");
        }
        idKey = key;
        boolean intact = true;
        for (Map.Entry<Move, Long> look : looks.entrySet()) {
            Loss loss = markers.seen(look.getKey(), look.getValue());
            told(loss, now);
            intact &= loss == null;
        }
        compare(masters, intact, toldEvictions, now);
        safe = now;
    }

    private void compare(List<ServerInfo> masters, boolean intact, Map<String, Long> toldEvictions, Instant now) {
        Map<String, ServerInfo> seen = new HashMap<>();
        masters.stream()
                .filter(server -> !server.identity().isEmpty())
                .forEach(server -> seen.put(server.identity(), server));
        if (!seen.isEmpty() && !seen.keySet().containsAll(servers.keySet())) {
            tell(
                    Cause.SERVER_CHANGED,
                    safe,
                    now,
                    "Redis was started again, or another server took its place; "
                            + (intact
                                    ? "the commit markers of this process are intact, so its own writes are there."
                                    : "the commit marker of this process went back."));
        }
        seen.forEach((identity, server) -> {
            ServerInfo before = servers.get(identity);
            long since = server.evictedKeys()
                    - (before == null ? toldEvictions.getOrDefault(identity, 0L) : before.evictedKeys());
            if (since > 0) {
                Instant from = before == null ? now.minusSeconds(server.uptimeSeconds()) : safe;
                tell(Cause.EVICTED, from, now, "Redis dropped " + since + " keys for want of memory.");
            }
        });
        evicted.set(seen.values().stream().mapToLong(ServerInfo::evictedKeys).sum());
        servers.clear();
        servers.putAll(seen);
    }

    private void told(@Nullable Loss loss, Instant now) {
        if (loss != null) {
            tell(
                    Cause.MARKER_WENT_BACK,
                    loss.from(),
                    now,
                    "Redis lost what it had acknowledged: the commit marker of this process went back by "
                            + loss.flushes() + " flushes.");
        }
    }

    private void tell(Cause cause, Instant from, Instant to, String detail) {
        recentUsers.forget();
        onDoubt.run();
        doubts.tell(new Doubt(cause, from, to, process, detail));
    }
}
