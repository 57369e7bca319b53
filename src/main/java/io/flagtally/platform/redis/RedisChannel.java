package io.flagtally.platform.redis;

import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.redis.client.RedisConnection;
import io.vertx.mutiny.redis.client.Request;
import io.vertx.mutiny.redis.client.Response;
import io.vertx.redis.client.RedisCluster;
import java.util.List;

/** A way to send to Redis. Commands that go to one server arrive there in the order in which they were sent. */
public interface RedisChannel {

    /** Sends to the server that has the key, on a cluster without a key to any. */
    Uni<Response> send(Request request);

    /** Sends to every server that takes writes. */
    Uni<List<Response>> sendToMasters(Request request);

    static RedisChannel over(RedisConnection connection, boolean cluster) {
        return new RedisChannel() {
            @Override
            public Uni<Response> send(Request request) {
                return connection.send(request);
            }

            @Override
            public Uni<List<Response>> sendToMasters(Request request) {
                return cluster
                        ? toEach(connection, request)
                        : connection.send(request).map(List::of);
            }

            private static Uni<List<Response>> toEach(RedisConnection connection, Request request) {
                return Uni.createFrom()
                        .completionStage(() -> RedisCluster.create(connection.getDelegate())
                                .onAllMasterNodes(request.getDelegate())
                                .toCompletionStage())
                        .map(replies ->
                                replies.stream().map(Response::newInstance).toList());
            }
        };
    }
}
