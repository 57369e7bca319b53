package io.flagtally.platform;

import java.util.Optional;
import java.util.OptionalLong;

/**
 * A port: what the broker of a connector says of itself. One bean for each connector; only that of the connector in use
 * is asked, every few seconds, on a worker thread.
 */
public interface BrokerState {

    /** The connector it speaks for: {@code smallrye-kafka}. */
    String connector();

    /** The broker's name for a person: {@code Kafka}. */
    String name();

    /**
     * How many messages wait in the broker for the consumers of our group, those being worked on included; empty if the
     * broker does not tell, or is away. May block for some seconds.
     */
    OptionalLong lag();

    /** A sentence if events cannot be published just now; empty if they can. May block for some seconds. */
    Optional<String> cannotPublish();

    /** A sentence if events cannot be consumed just now; empty if they can. May block for some seconds. */
    Optional<String> cannotConsume();
}
