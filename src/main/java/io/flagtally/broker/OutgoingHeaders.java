package io.flagtally.broker;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What travels beside the payload of an outgoing message, for connectors of our own.
 *
 * @param key messages of one key stay in order where the broker keeps order; null for no key
 */
public record OutgoingHeaders(
        Map<String, String> headers, @Nullable String key) {}
