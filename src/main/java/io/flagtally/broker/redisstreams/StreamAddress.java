package io.flagtally.broker.redisstreams;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a message is sent with; travels as message metadata.
 *
 * @param key messages of one key go to one stream; null for any
 */
record StreamAddress(Map<String, String> headers, @Nullable String key) {}
