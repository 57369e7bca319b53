package io.flagtally.broker.redisstreams;

import java.util.Map;

/**
 * What Redis delivered; travels as message metadata.
 *
 * @param id the entry's id in its stream
 * @param redelivered true if it was delivered before
 */
record StreamEntry(String stream, String id, Map<String, String> headers, boolean redelivered) {}
