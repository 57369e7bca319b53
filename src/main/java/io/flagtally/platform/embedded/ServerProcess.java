package io.flagtally.platform.embedded;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** A server process that lives in a session of its own, so that a Ctrl-C in the terminal reaches only the service. */
public final class ServerProcess {

    /** Asks PostgreSQL and Redis to end soon and in order, with open connections ended and the data written. */
    static final String STOP_SIGNAL = "INT";

    private static final Duration POLL = Duration.ofMillis(20);

    private final ProcessHandle handle;

    ServerProcess(ProcessHandle handle) {
        this.handle = handle;
    }

    /** The living process with this id. */
    static Optional<ServerProcess> of(String pid) {
        return pid.matches("[0-9]{1,18}")
                ? ProcessHandle.of(Long.parseLong(pid)).map(ServerProcess::new)
                : Optional.empty();
    }

    public long pid() {
        return handle.pid();
    }

    /** Whether its program lies below {@code directory}, a real path. */
    boolean runsProgramBelow(Path directory) {
        return handle.info()
                .command()
                .filter(command -> Path.of(command).startsWith(directory))
                .isPresent();
    }

    /** Sends {@code name} ({@code STOP}, {@code CONT}, …) to the process; nothing happens if it has ended. */
    public void signal(String name) {
        try {
            int unused = new ProcessBuilder("kill", "-" + name, String.valueOf(pid()))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
        } catch (IOException e) {
            throw new EmbeddedStartException("The program kill is missing, and with it the way to end servers.", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Ends the process in order; if it has not ended after {@code patience}, for good. */
    public void stop(Duration patience) {
        if (ended()) {
            return;
        }
        signal(STOP_SIGNAL);
        if (!awaitEnd(patience)) {
            kill();
        }
    }

    /** Ends the process at once, as a crash would. */
    public void kill() {
        signal("KILL");
        boolean unused = awaitEnd(Duration.ofSeconds(10));
    }

    boolean awaitEnd(Duration patience) {
        long deadline = System.nanoTime() + patience.toNanos();
        while (!ended()) {
            if (System.nanoTime() - deadline > 0) {
                return false;
            }
            LockSupport.parkNanos(POLL.toNanos());
        }
        return true;
    }

    /** True once the process runs no more, also if nobody has fetched its exit code (as below a JVM with process id 1). */
    public boolean ended() {
        return !handle.isAlive() || isZombie();
    }

    /** A process with threads shows itself as ended before the last of them has let go of its files and ports. */
    private boolean isZombie() {
        Path proc = Path.of("/proc", String.valueOf(pid()));
        try (Stream<Path> threads = Files.list(proc.resolve("task"))) {
            String stat = Files.readString(proc.resolve("stat"));
            return stat.startsWith(" Z", stat.lastIndexOf(')') + 1) && threads.count() == 1;
        } catch (IOException noSuchProcess) {
            return false;
        }
    }
}
