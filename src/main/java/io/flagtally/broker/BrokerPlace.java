package io.flagtally.broker;

import java.util.Optional;

/**
 * What this process does with the broker, in common words; what it does not do is empty.
 *
 * @param publishTo where events are sent
 * @param subscribeTo where events come from
 * @param consumerGroup under which name; processes of one name share the events
 * @param deadLetterTo where events at fault are sent
 * @param mirrorTo where accepted events are sent too
 */
public record BrokerPlace(
        Optional<String> publishTo,
        Optional<String> subscribeTo,
        Optional<String> consumerGroup,
        Optional<String> deadLetterTo,
        Optional<String> mirrorTo) {

    /** The key that names {@link #mirrorTo}. */
    public static final String MIRROR_TO = "flagtally.mirror.publish-to";
}
