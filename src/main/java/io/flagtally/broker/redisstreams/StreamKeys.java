package io.flagtally.broker.redisstreams;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The streams of one place: {@code flagtally-events:{0}}, {@code flagtally-events:{1}} and so on. The number is the hash
 * tag, so that a cluster spreads them. Safe for use by several threads.
 */
final class StreamKeys {

    private final String[] keys;
    private final AtomicInteger turn = new AtomicInteger();

    StreamKeys(String place, int partitions) {
        keys = IntStream.range(0, partitions)
                .mapToObj(n -> place + ":{" + n + "}")
                .toArray(String[]::new);
    }

    String[] all() {
        return keys.clone();
    }

    /** The stream of a key, always the same; without a key one after the other. */
    String of(@Nullable String key) {
        int hash = key == null ? turn.getAndIncrement() : key.hashCode();
        return keys[Math.floorMod(hash, keys.length)];
    }
}
