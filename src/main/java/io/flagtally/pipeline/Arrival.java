package io.flagtally.pipeline;

import java.util.Map;
import java.util.Optional;

/**
 * What a broker said when it delivered a message; travels as message metadata, and is not there in process.
 *
 * @param redelivered true if the broker says that it delivered this message before
 * @param fault why the message could not be understood; all of it then goes to the dead letters
 * @param headers those of the message as it came, whoever wrote them
 */
public record Arrival(boolean redelivered, Optional<String> fault, Map<String, String> headers) {

    public static final Arrival IN_PROCESS = new Arrival(false, Optional.empty());

    /** The same message, delivered again. */
    public Arrival again() {
        return new Arrival(true, fault, headers);
    }

    /** Of a message without headers. */
    public Arrival(boolean redelivered, Optional<String> fault) {
        this(redelivered, fault, Map.of());
    }
}
