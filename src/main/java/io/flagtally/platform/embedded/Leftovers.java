package io.flagtally.platform.embedded;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.jboss.logging.Logger;

/** Servers that outlived their service, as after its SIGKILL. They are ended, never adopted. */
final class Leftovers {

    private static final Logger LOG = Logger.getLogger(Leftovers.class);
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private Leftovers() {}

    /**
     * Ends the process that {@code pidFile} names if its program lies below {@code binaries}: a process id may long
     * belong to another program, even to somebody else's server.
     */
    static void end(Path pidFile, Path binaries, String stopSignal) {
        process(pidFile).filter(handle -> runsProgramBelow(binaries, handle)).ifPresent(handle -> {
            LOG.infof("Ending process %d, left over from an earlier run", handle.pid());
            new ServerProcess(handle, stopSignal).stop(PATIENCE);
        });
    }

    /** The living process whose id stands in the first line of {@code pidFile}. */
    static Optional<ProcessHandle> process(Path pidFile) {
        try {
            String first = Files.readString(pidFile).lines().findFirst().orElse("");
            return first.isBlank() ? Optional.empty() : ProcessHandle.of(Long.parseLong(first.trim()));
        } catch (IOException | NumberFormatException noPid) {
            return Optional.empty();
        }
    }

    private static boolean runsProgramBelow(Path binaries, ProcessHandle handle) {
        return handle.info()
                .command()
                .filter(command -> Path.of(command).startsWith(binaries))
                .isPresent();
    }
}
