package io.flagtally.pipeline;

import java.util.Optional;

/**
 * What a broker said when it delivered a message; travels as message metadata, and is not there in process.
 *
 * @param redelivered true if the broker says that it delivered this message before
 * @param fault why the message could not be understood; all of it then goes to the dead letters
 */
public record Arrival(boolean redelivered, Optional<String> fault) {

    static final Arrival IN_PROCESS = new Arrival(false, Optional.empty());
}
