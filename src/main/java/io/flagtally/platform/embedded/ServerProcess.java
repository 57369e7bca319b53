package io.flagtally.platform.embedded;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** A server process that lives in a session of its own, so that a Ctrl-C in the terminal reaches only the service. */
public final class ServerProcess {

    private static final Duration POLL = Duration.ofMillis(20);

    private final ProcessHandle handle;
    private final String stopSignal;

    /** @param stopSignal what asks this server to end soon and in order, as {@code kill} names it */
    ServerProcess(ProcessHandle handle, String stopSignal) {
        this.handle = handle;
        this.stopSignal = stopSignal;
    }

    public long pid() {
        return handle.pid();
    }

    String stopSignal() {
        return stopSignal;
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
        signal(stopSignal);
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

    private boolean isZombie() {
        Path stat = Path.of("/proc", String.valueOf(pid()), "stat");
        try {
            String line = Files.readString(stat);
            return line.startsWith(" Z", line.lastIndexOf(')') + 1);
        } catch (IOException noSuchFile) {
            return false;
        }
    }
}
