package io.flagtally.console;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.flagtally.packaged.ServiceProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;

/** A store of the service that is there and does not answer, until this is closed. */
final class PausedServer implements AutoCloseable {

    private final List<ProcessHandle> processes;

    private PausedServer(List<ProcessHandle> processes) {
        this.processes = processes;
    }

    /** Stops the embedded servers whose program begins with {@code program}. */
    static PausedServer of(ServiceProcess service, String program) {
        List<ProcessHandle> processes = service.servers().stream()
                .filter(handle -> handle.info().command().orElse("").contains("/" + program))
                .toList();
        assertFalse(processes.isEmpty(), program + " does not run");
        PausedServer paused = new PausedServer(processes);
        paused.signal("-STOP");
        return paused;
    }

    @Override
    public void close() {
        signal("-CONT");
    }

    private void signal(String signal) {
        for (ProcessHandle process :
                processes.stream().filter(ProcessHandle::isAlive).toList()) {
            try {
                Process kill = new ProcessBuilder("kill", signal, String.valueOf(process.pid())).start();
                assertEquals(0, kill.waitFor(), signal);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
        }
    }
}
