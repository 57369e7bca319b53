package io.flagtally.testing;

import static org.awaitility.Awaitility.await;

import io.flagtally.platform.embedded.LoopbackPort;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A server as a child process with all that it starts. It ends with {@link #kill}, and at the latest with this JVM,
 * also when that is killed: a shell holds our pipe and ends the server when it closes.
 */
public final class ChildServer {

    /** Lets a JVM compile quickly and only once, which halves the work of a start. Not for what is to be measured. */
    public static final String STARTS_QUICKLY = "-XX:TieredStopAtLevel=1";

    /** Lets a JVM compile as it does for a user, whatever was said before. */
    public static final String RUNS_FAST = "-XX:TieredStopAtLevel=4";

    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final String GUARDED = """
            exec 3<&0
            setsid "$@" </dev/null 3<&- &
            server=$!
            echo $server >pid
            { cat <&3 >/dev/null; kill -9 -$server 2>/dev/null; } &
            wait $server
            """;

    private final Path home;
    private final Process guard;

    private ChildServer(Path home, Process guard) {
        this.home = home;
        this.guard = guard;
    }

    /** Starts {@code command} in the directory {@code home}, where its output goes to the file {@code log}. */
    public static ChildServer start(Path home, Map<String, String> environment, List<String> command) {
        List<String> guarded = new ArrayList<>(List.of("sh", "-c", GUARDED, "guard"));
        guarded.addAll(command);
        try {
            Files.deleteIfExists(home.resolve("pid"));
            ProcessBuilder builder = new ProcessBuilder(guarded)
                    .directory(home.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(Redirect.appendTo(home.resolve("log").toFile()));
            builder.environment().putAll(environment);
            return new ChildServer(home, builder.start());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Starts a class of {@code classPath} on the Java of the tests. */
    public static ChildServer startJava(Path home, List<String> jvmOptions, String classPath, List<String> command) {
        List<String> java = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        java.addAll(jvmOptions);
        java.addAll(List.of("-cp", classPath));
        java.addAll(command);
        return start(home, Map.of(), java);
    }

    /** Returns once a connection to {@code port} is taken; fails at once if the server has ended. */
    public ChildServer awaitPort(int port) {
        await("the server; its log is " + home.resolve("log")).atMost(PATIENCE).until(() -> {
            if (!guard.isAlive()) {
                throw new IllegalStateException("the server has ended:\n" + log());
            }
            return isTaken(port);
        });
        return this;
    }

    /** Waits for a server that does one thing and ends. */
    public void awaitEnd() {
        await().atMost(PATIENCE).until(() -> !guard.isAlive());
    }

    public String log() {
        try {
            return Files.readString(home.resolve("log"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The process that was started. */
    public ProcessHandle process() {
        return ProcessHandle.of(pid()).orElseGet(guard::toHandle);
    }

    /** Asks it to end in order; kills what has not ended after a while. */
    public void stop() {
        boolean unused = process().destroy();
        try {
            awaitEnd();
        } finally {
            kill();
        }
    }

    /** Ends it and all that it started, as a crash does. */
    public void kill() {
        try {
            guard.getOutputStream().close();
            if (!guard.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                throw new IllegalStateException("the guard of a server does not end: " + home);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private long pid() {
        Path file = home.resolve("pid");
        await().atMost(PATIENCE).until(() -> Files.exists(file) && Files.size(file) > 0);
        try {
            return Long.parseLong(Files.readString(file).trim());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isTaken(int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(LoopbackPort.HOST, port), 1000);
            return true;
        } catch (IOException notYet) {
            return false;
        }
    }
}
