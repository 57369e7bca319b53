package io.flagtally.store.redis;

import io.flagtally.pipeline.StoreUnavailableException;
import io.flagtally.platform.redis.RedisChannel;
import io.flagtally.platform.redis.RedisDurability;
import io.flagtally.store.redis.CommitMarkers.Move;
import io.flagtally.store.redis.RedisLink.Reply;
import io.flagtally.store.redis.RedisLink.Session;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.redis.client.Request;
import io.vertx.mutiny.redis.client.Response;
import java.util.List;

/**
 * Writes on one connection: the commands of a flush, then the commit markers, then, where asked for, the confirmation by
 * replicas or disk.
 */
final class RedisCommits {

    private final RedisChannel channel;
    private final boolean cluster;
    private final StoreMemory memory;
    private final RedisDurability durability;

    RedisCommits(RedisChannel channel, boolean cluster, StoreMemory memory, RedisDurability durability) {
        this.channel = channel;
        this.cluster = cluster;
        this.memory = memory;
        this.durability = durability;
    }

    /** How many commands a commit adds to those of the flush. */
    int commands() {
        return memory.markers().moves().size() + durability.confirmations().size();
    }

    /**
     * Sends {@code requests} as {@link RedisLink#sendAll}, and gives their replies once the flush counts as written. One
     * round trip; two on a cluster. Fails with {@link StoreUnavailableException} when it is not
     * confirmed in time, or a marker cannot be moved.
     */
    Uni<List<Reply>> commit(Session session, List<Request> requests) {
        List<Move> moves = memory.markers().moves();
        Uni<List<Reply>> written = RedisLink.sendAll(session, requests);
        return cluster
                ? written.call(replies -> seal(moves))
                : Uni.combine().all().unis(written, seal(moves)).with((replies, values) -> replies);
    }

    /** Looks at the store as {@link RedisInstallation#verify}. */
    Uni<IdHash> look(RedisInstallation installation) {
        return installation.verify(channel);
    }

    private Uni<List<Response>> seal(List<Move> moves) {
        List<Uni<Response>> moved = moves.stream()
                .map(move -> OwnKeys.send(channel, move.key(), move.request()))
                .toList();
        return Uni.combine()
                .all()
                .unis(Uni.join().all(moved).andFailFast(), confirmed())
                .with((values, confirmed) -> values)
                .invoke(values -> memory.committed(moves, values))
                .onFailure()
                .transform(OwnKeys::waitedFor);
    }

    private Uni<List<Response>> confirmed() {
        return durability.confirmations().isEmpty()
                ? Uni.createFrom().item(List.of())
                : channel.sendToMasters(durability.confirmations().get(0))
                        .invoke(replies -> requireConfirmed(durability, replies));
    }

    /** @throws StoreUnavailableException if an answer to a confirmation says that it was not done in time */
    static void requireConfirmed(RedisDurability durability, List<Response> answers) {
        answers.forEach(answer -> durability.unmet(answer).ifPresent(sentence -> {
            throw new StoreUnavailableException(sentence, null);
        }));
    }
}
