package io.flagtally.store.redis;

import io.flagtally.pipeline.StoreUnavailableException;
import io.flagtally.platform.redis.RedisChannel;
import io.flagtally.platform.redis.RedisFailure;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.redis.client.Request;
import io.vertx.mutiny.redis.client.Response;

/**
 * Commands to the keys that all counting rests on. One that holds something else is no event's fault: it is waited for,
 * like a store that is away, until somebody mends it.
 */
final class OwnKeys {

    private OwnKeys() {}

    /** Sends a command to {@code key}; an answer that speaks of the key fails with {@link StoreUnavailableException}. */
    static Uni<Response> send(RedisChannel channel, String key, Request request) {
        return channel.send(request).onFailure(OwnKeys::isNotOfTheServer).transform(failure -> unusable(key, failure));
    }

    /** What to fail with when {@code key} does not hold what it should. */
    static StoreUnavailableException unusable(String key, Throwable failure) {
        return new StoreUnavailableException(
                "Redis key " + key + " does not hold what Flagtally keeps there (" + RedisFailure.text(failure)
                        + "); nothing is counted until it does: look at it, then rename or delete it",
                failure);
    }

    /** As it is where it says that Redis is to be waited for, else a failure that says so. */
    static Throwable waitedFor(Throwable failure) {
        return isNotOfTheServer(failure)
                ? new StoreUnavailableException(
                        "Redis does not answer as it should (" + RedisFailure.text(failure)
                                + "); nothing is counted until it does",
                        failure)
                : failure;
    }

    private static boolean isNotOfTheServer(Throwable failure) {
        return !RedisFailure.isOfTheServer(failure);
    }
}
