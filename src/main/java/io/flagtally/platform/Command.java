package io.flagtally.platform;

import java.time.InstantSource;

/**
 * A port: something the artifact does instead of serving, chosen by the first argument. Found with
 * {@link java.util.ServiceLoader}.
 */
public interface Command {

    /** The first argument that chooses this command. */
    String name();

    /** Does it, and returns the exit code of the process. */
    int run(InstantSource clock);
}
