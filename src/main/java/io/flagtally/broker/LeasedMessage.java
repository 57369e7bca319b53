package io.flagtally.broker;

import java.util.Map;

/**
 * A message that a broker has lent for a time.
 *
 * @param lease what the broker wants to hear when the message is acknowledged, given back or kept longer
 * @param redelivered true if the broker says that it delivered this message before
 */
public record LeasedMessage(String lease, byte[] payload, Map<String, String> headers, boolean redelivered) {}
