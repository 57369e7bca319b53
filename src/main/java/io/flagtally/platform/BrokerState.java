package io.flagtally.platform;

import java.util.Optional;
import java.util.OptionalLong;

/**
 * A port: what the broker of a connector says of itself. One bean for each connector; only that of the connector in use
 * is asked, every few seconds, on a worker thread: for one {@link #look} first, then for each side that the process uses.
 */
public interface BrokerState {

    /**
     * What one look at the broker as a whole showed.
     *
     * @param unusable a sentence if the look failed: the broker is away, or refuses us
     * @param mayLose a sentence if the broker answered, and may lose what it confirms
     */
    record Look(Optional<String> unusable, Optional<String> mayLose) {

        public static final Look FINE = new Look(Optional.empty(), Optional.empty());

        /** A look that failed. */
        public static Look unusable(String sentence) {
            return new Look(Optional.of(sentence), Optional.empty());
        }
    }

    /** The connector it speaks for: {@code smallrye-kafka}. */
    String connector();

    /** The broker's name for a person: {@code Kafka}. */
    String name();

    /**
     * How many messages wait in the broker for the consumers of our group, those being worked on included; empty if the
     * broker does not tell, or is away. May block for some seconds.
     */
    OptionalLong lag();

    /** Looks at the broker as a whole. May block for some seconds. */
    default Look look() {
        return Look.FINE;
    }

    /** A sentence if events cannot be published just now though {@link #look} was fine. May block for some seconds. */
    default Optional<String> cannotPublish() {
        return Optional.empty();
    }

    /** A sentence if events cannot be consumed just now though {@link #look} was fine. May block for some seconds. */
    default Optional<String> cannotConsume() {
        return Optional.empty();
    }
}
