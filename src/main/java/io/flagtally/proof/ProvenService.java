package io.flagtally.proof;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * The service under proof: this very artifact as a child process, which can be killed and started again. It is told its
 * settings and nothing else: of our environment it gets what every program needs, and its working directory is its own.
 */
final class ProvenService implements AutoCloseable {

    private static final Duration START_PATIENCE = Duration.ofSeconds(180);
    private static final Duration POLL = Duration.ofMillis(100);
    private static final int LAST_LINES = 20;
    private static final int OK = 200;

    /** What a program needs of its surroundings; anything else could configure it. */
    private static final Set<String> SURROUNDINGS =
            Set.of("PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT");

    private final Path directory;
    private final int port;
    private final Map<String, String> settings;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();
    private final Thread killAtTheEnd = new Thread(this::kill, "proof-end");
    private volatile Process process;

    /** Starts the service and waits until it is ready. */
    ProvenService(Path directory, int port, Map<String, String> settings) throws InterruptedException {
        this.directory = directory;
        this.port = port;
        this.settings = settings;
        process = spawn();
        Runtime.getRuntime().addShutdownHook(killAtTheEnd);
        try {
            awaitReady();
        } catch (InterruptedException | RuntimeException e) {
            kill();
            throw e;
        }
    }

    URI uri(String path) {
        return URI.create("http://127.0.0.1:" + port + path);
    }

    /** Kills the process as {@code kill -9} does, and starts it again. */
    void killAndRestart() throws InterruptedException {
        process.destroyForcibly().waitFor();
        process = spawn();
        awaitReady();
    }

    private void kill() {
        var unused = process.destroyForcibly().onExit().join();
    }

    /** Waits until the service says that it can take events and answer reads. */
    void awaitReady() throws InterruptedException {
        long end = System.nanoTime() + START_PATIENCE.toNanos();
        while (System.nanoTime() < end) {
            if (!process.isAlive()) {
                throw new IllegalStateException(
                        "the service ended with code " + process.exitValue() + ":\n" + lastLines());
            }
            if (status("/q/health/ready") == OK) {
                return;
            }
            Thread.sleep(POLL.toMillis());
        }
        throw new IllegalStateException("the service was not ready within " + START_PATIENCE + ":\n" + lastLines());
    }

    @Override
    public void close() {
        kill();
        Runtime.getRuntime().removeShutdownHook(killAtTheEnd);
    }

    private int status(String path) throws InterruptedException {
        HttpRequest request =
                HttpRequest.newBuilder(uri(path)).timeout(Duration.ofSeconds(5)).build();
        try {
            return http.send(request, BodyHandlers.discarding()).statusCode();
        } catch (IOException e) {
            return 0;
        }
    }

    private Path log() {
        return directory.resolve("service.log");
    }

    /** The end of the log, since the file goes with the temporary directory. */
    private String lastLines() {
        try {
            List<String> lines = Files.readAllLines(log());
            return String.join("\n", lines.subList(Math.max(0, lines.size() - LAST_LINES), lines.size()));
        } catch (IOException e) {
            return "its log cannot be read: " + e.getMessage();
        }
    }

    private Process spawn() {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-Xmx256m");
        command.add("-Djava.io.tmpdir=" + directory);
        command.add("-Dquarkus.http.port=" + port);
        settings.forEach((name, value) -> command.add("-D" + name + "=" + value));
        command.add("-jar");
        command.add(
                Path.of(System.getProperty("java.class.path")).toAbsolutePath().toString());
        try {
            ProcessBuilder service = new ProcessBuilder(command)
                    .directory(directory.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()));
            service.environment().keySet().removeIf(name -> !SURROUNDINGS.contains(name.toUpperCase(Locale.ROOT)));
            return service.start();
        } catch (IOException e) {
            throw new UncheckedIOException("the service cannot be started with " + command.get(0), e);
        }
    }
}
