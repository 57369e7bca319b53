package io.flagtally.platform.embedded;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.util.concurrent.TimeUnit;

/**
 * A child process that ends one server when this process ends without doing so itself, SIGKILL included.
 *
 * <p>It is a shell that reads a pipe whose other end only this process holds: a line means that the server has ended in
 * order, end of file that we are gone. It
 * keeps the server's process id, not its pid file, so it cannot meet the server of a later start, and it ignores
 * Ctrl-C, which a terminal sends to it too.
 */
final class Watchdog implements AutoCloseable {

    /** Arguments: process id, part of the program's name. A server that is deaf to it is killed after 20 s. */
    private static final String SCRIPT = """
            trap '' INT TERM HUP
            read -r farewell && exit 0
            name=$(cat "/proc/$1/comm" 2>/dev/null || ps -o comm= -p "$1" 2>/dev/null)
            case "$name" in *"$2"*) ;; *) exit 0 ;; esac
            kill -INT "$1" 2>/dev/null || exit 0
            n=0
            while [ "$n" -lt 20 ]; do
              sleep 1
              kill -0 "$1" 2>/dev/null || exit 0
              n=$((n + 1))
            done
            kill -KILL "$1" 2>/dev/null
            """;

    private final Process shell;

    private Watchdog(Process shell) {
        this.shell = shell;
    }

    /** @param name part of the name of the server's program */
    static Watchdog over(ServerProcess server, String name) {
        try {
            return new Watchdog(new ProcessBuilder(
                            "/bin/sh", "-c", SCRIPT, "flagtally-watchdog", String.valueOf(server.pid()), name)
                    .redirectOutput(Redirect.DISCARD)
                    .redirectError(Redirect.DISCARD)
                    .start());
        } catch (IOException e) {
            throw new EmbeddedStartException(
                    "The watchdog of the embedded servers needs /bin/sh, which cannot run.", e);
        }
    }

    /** Ends the watchdog; the server should have ended before. */
    @Override
    public void close() {
        try {
            shell.getOutputStream().write('\n');
            shell.getOutputStream().close();
            if (!shell.waitFor(5, TimeUnit.SECONDS)) {
                shell.destroyForcibly();
            }
        } catch (IOException e) {
            shell.destroyForcibly();
        } catch (InterruptedException e) {
            shell.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
