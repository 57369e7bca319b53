package io.flagtally.broker;

import java.util.Map;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.jspecify.annotations.Nullable;

/**
 * A port: how one connector carries headers. One bean for each connector; it is used for every channel whose
 * {@code connector} is {@link #connector()}.
 *
 * <p>An implementation keeps no state, may be called from any thread and never blocks. It only turns headers into the
 * connector's metadata and back; it does not send, and the acknowledgement of the message it returns is that of the
 * message it was given, which {@link Message#addMetadata} and {@link Message#withPayload} see to.
 */
public interface Carrier {

    /** The connector it speaks for, as in {@code mp.messaging.…​.connector}: {@code smallrye-kafka}. */
    String connector();

    /**
     * Returns {@code message} with what the connector needs to send it.
     *
     * @param headers what stands in {@link WireHeaders}, none of them empty; their order is fixed
     * @param key messages of one key go to one partition, in order where the broker keeps order; null for no key
     */
    Message<byte[]> outgoing(Message<byte[]> message, Map<String, String> headers, @Nullable String key);

    /** Whether messages of one key that are sent to {@code place} lie there in the order in which they were sent. */
    default boolean keepsOrder(String place) {
        return true;
    }

    /** How many headers a message may have. */
    default int headersMax() {
        return Integer.MAX_VALUE;
    }

    /**
     * Reads what the connector delivered, with the headers that are not Flagtally's: a dead letter carries them too.
     *
     * @throws RuntimeException if it cannot be read; the message then goes to the dead letters, with the exception's
     *     message as the reason
     */
    Arrived incoming(Message<?> message);

    /**
     * A message as it was delivered.
     *
     * @param redelivered true if the broker says that it delivered this message before; false if it cannot tell
     */
    record Arrived(byte[] payload, Map<String, String> headers, boolean redelivered) {}
}
