package io.flagtally.broker;

/** The broker can never work as it is configured. The message is one sentence, which names the key to set. */
public final class BrokerStartException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public BrokerStartException(String sentence) {
        super(sentence);
    }

    public BrokerStartException(String sentence, Throwable cause) {
        super(sentence, cause);
    }
}
