package io.flagtally.broker.redisstreams;

import io.flagtally.platform.redis.RedisScript;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/** What is done to a stream in one step. */
enum StreamScript {
    ADD("/redis/stream-trim.lua", "/redis/stream-add.lua"),
    CARE("/redis/stream-trim.lua", "/redis/stream-care.lua"),
    GROUP("/redis/stream-group.lua"),
    LEAVE("/redis/stream-leave.lua");

    private final RedisScript script;

    StreamScript(String... resources) {
        script = RedisScript.of(resources);
    }

    RedisScript.Call on(String stream, List<byte[]> arguments) {
        return script.call(List.of(stream), arguments);
    }

    RedisScript.Call on(String stream, Object... arguments) {
        return on(
                stream,
                Arrays.stream(arguments)
                        .map(argument -> String.valueOf(argument).getBytes(StandardCharsets.UTF_8))
                        .toList());
    }
}
