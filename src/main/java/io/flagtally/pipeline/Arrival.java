package io.flagtally.pipeline;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * What a broker said when it delivered a message; travels as message metadata, and is not there in process.
 *
 * @param redelivered true if the broker says that it delivered this message before
 * @param fault why the message could not be understood; all of it then goes to the dead letters
 * @param headers those of the message as it came, whoever wrote them
 * @param triedSince when this process was first given the message, if it could not count it then and tries it again
 */
public record Arrival(
        boolean redelivered, Optional<String> fault, Map<String, String> headers, Optional<Instant> triedSince) {

    public static final Arrival IN_PROCESS = new Arrival(false, Optional.empty(), Map.of());

    /** Of a message that is given to this process for the first time. */
    public Arrival(boolean redelivered, Optional<String> fault, Map<String, String> headers) {
        this(redelivered, fault, headers, Optional.empty());
    }

    /** Of the same message, tried again by the process that was first given it at {@code since}. */
    public Arrival triedSince(Instant since) {
        return new Arrival(redelivered, fault, headers, Optional.of(since));
    }

    /** Whether somebody was given this message before. */
    boolean again() {
        return redelivered || triedSince.isPresent();
    }
}
