package io.flagtally.platform.embedded;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jboss.logging.Logger;

/** Servers that outlived their service, as after its SIGKILL. They are ended, never adopted. */
final class Leftovers {

    private static final Logger LOG = Logger.getLogger(Leftovers.class);
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private Leftovers() {}

    /**
     * Ends every process whose program lies below {@code binaries}. A data directory has programs of its own, so under its
     * lock each such process is a leftover, and no other server can be met, whatever process ids were given out since.
     *
     * @param binaries a real path
     */
    static void end(Path binaries) {
        List<ProcessHandle> leftovers = ProcessHandle.allProcesses()
                .filter(handle -> new ServerProcess(handle).runsProgramBelow(binaries))
                .toList();
        leftovers.stream().filter(handle -> !isChildOfOne(leftovers, handle)).forEach(Leftovers::end);
        leftovers.forEach(handle -> {
            if (!new ServerProcess(handle).awaitEnd(PATIENCE)) {
                throw new EmbeddedStartException("Process " + handle.pid()
                        + ", left over from an earlier run, cannot be ended; end it yourself and start again.");
            }
        });
    }

    private static void end(ProcessHandle handle) {
        LOG.infof("Ending process %d, left over from an earlier run", handle.pid());
        new ServerProcess(handle).stop(PATIENCE);
    }

    private static boolean isChildOfOne(List<ProcessHandle> leftovers, ProcessHandle handle) {
        return handle.parent().filter(leftovers::contains).isPresent();
    }
}
