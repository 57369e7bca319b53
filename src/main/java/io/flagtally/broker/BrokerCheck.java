package io.flagtally.broker;

import java.util.Optional;

/**
 * A port: looks at the chosen broker before the channels open, so that what can never work stops the start. One bean for
 * each connector that can be looked at; only that of the connector in use is asked, once.
 */
public interface BrokerCheck {

    /** The connector it speaks for: {@code smallrye-kafka}. */
    String connector();

    /**
     * Looks whether what is configured can work. May block, for at most ten seconds. What it opens it closes.
     *
     * @param place what this process does with the broker
     * @return a sentence if the broker is away, or may lose what it confirms: the start goes on, and that is waited for;
     *     empty if all is well
     * @throws BrokerStartException with one sentence that names the key to set, if waiting cannot help: a connection that
     *     is not configured, credentials that are refused, a topic that does not exist
     */
    Optional<String> check(BrokerPlace place);
}
