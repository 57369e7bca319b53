package io.flagtally.packaged;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.platform.embedded.LoopbackPort;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;

/**
 * The packaged service as a child process. Started in a working directory that the test names, on a free port unless
 * told otherwise; its log is a file there. Closing kills it and whatever it left below its working directory.
 */
public final class ServiceProcess implements AutoCloseable {

    /** A start takes some 5 seconds, and several times that on a busy machine. */
    private static final Duration START_PATIENCE = Duration.ofSeconds(120);

    private static final Pattern REDIS_ADDRESS = Pattern.compile("Redis at 127\\.0\\.0\\.1:(\\d+)");
    private static final Duration STOP_PATIENCE = Duration.ofSeconds(60);
    private static final Path JAR = Path.of("target", "quarkus-app", "quarkus-run.jar");
    private static final Optional<String> TEST_JVM =
            Optional.ofNullable(System.getProperty("flagtally.tests.service-jvm"));
    private static final HttpClient HTTP =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();

    private final Process process;
    private final Path directory;
    private final Path log;
    private final int port;

    private ServiceProcess(Process process, Path directory, Path log, int port) {
        this.process = process;
        this.directory = directory;
        this.log = log;
        this.port = port;
    }

    /** A start to be made in {@code directory}, which keeps the data over several starts. */
    public static Start in(Path directory) {
        return new Start(directory);
    }

    /** What a start is given. */
    public static final class Start {

        private final Path directory;
        private final List<String> jvmOptions = new ArrayList<>();
        private final Map<String, String> environment = new HashMap<>();
        private int port = LoopbackPort.free();
        private boolean portIsGiven = true;

        private Start(Path directory) {
            this.directory = directory;
        }

        /** An option of the JVM: {@code -Xmx256m}, {@code -Dkey=value}. */
        public Start with(String jvmOption) {
            jvmOptions.add(jvmOption);
            return this;
        }

        public Start env(String name, String value) {
            environment.put(name, value);
            return this;
        }

        /** The port to listen on, given as a system property. */
        public Start port(int given) {
            port = given;
            return this;
        }

        /** The port that the test has configured in another way, and no system property for it. */
        public Start portConfiguredAs(int configured) {
            port = configured;
            portIsGiven = false;
            return this;
        }

        /** Starts the service and returns when it is ready. */
        public ServiceProcess ready() {
            ServiceProcess service = launch();
            try {
                service.awaitReady();
                return service;
            } catch (RuntimeException | AssertionError e) {
                service.close();
                throw e;
            }
        }

        /** Starts the service and returns at once. */
        public ServiceProcess launch() {
            assertTrue(Files.exists(JAR), "there is no packaged service; make it with ./mvnw package");
            List<String> command = new ArrayList<>(List.of(javaProgram()));
            TEST_JVM.ifPresent(command::add);
            command.addAll(jvmOptions);
            if (portIsGiven) {
                command.add("-Dquarkus.http.port=" + port);
            }
            command.add("-jar");
            command.add(JAR.toAbsolutePath().toString());
            return run(command);
        }

        private ServiceProcess run(List<String> command) {
            try {
                Path log = Files.createTempFile(directory, "service-", ".log");
                ProcessBuilder builder = new ProcessBuilder(command)
                        .directory(directory.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(Redirect.to(log.toFile()));
                builder.environment().putAll(environment);
                return new ServiceProcess(builder.start(), directory.toRealPath(), log, port);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static String javaProgram() {
            return Path.of(System.getProperty("java.home"), "bin", "java").toString();
        }
    }

    public int port() {
        return port;
    }

    /** The address of the service and {@code path}. */
    public URI uri(String path) {
        return URI.create("http://127.0.0.1:" + port + path);
    }

    public long pid() {
        return process.pid();
    }

    /** Everything that the service has printed so far. */
    public String log() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits until readiness answers 200; fails at once if the process ends. */
    public void awaitReady() {
        Awaitility.await()
                .atMost(START_PATIENCE)
                .pollInterval(Duration.ofMillis(100))
                .until(() -> {
                    assertTrue(process.isAlive(), () -> "the service has ended:\n" + log());
                    return statusOf("/q/health/ready") == 200;
                });
    }

    /** GET; redirects are not followed. */
    public HttpResponse<String> get(String path) {
        return send(HttpRequest.newBuilder(uri(path)));
    }

    public HttpResponse<String> send(HttpRequest.Builder request) {
        try {
            return HTTP.send(request.timeout(Duration.ofSeconds(30)).build(), HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** The sum of all series of a metric whose line begins with {@code prefix}. */
    public double metric(String prefix) {
        return get("/q/metrics")
                .body()
                .lines()
                .filter(line -> line.startsWith(prefix))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }

    /** The first line of what the embedded Redis answers to {@code command}. */
    public String askRedis(String command) throws IOException {
        Matcher address = REDIS_ADDRESS.matcher(log());
        assertTrue(address.find(), this::log);
        try (Socket socket = new Socket(LoopbackPort.HOST, Integer.parseInt(address.group(1)))) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write((command + "\r\n").getBytes(StandardCharsets.US_ASCII));
            StringBuilder line = new StringBuilder();
            for (int c = socket.getInputStream().read();
                    c != '\r' && c >= 0;
                    c = socket.getInputStream().read()) {
                line.append((char) c);
            }
            return line.toString();
        }
    }

    /** Ends the service as an operator does (SIGTERM) and waits for its end. */
    public void stop() {
        process.destroy();
        assertTrue(awaitExit(STOP_PATIENCE), () -> "still running after " + STOP_PATIENCE + ":\n" + log());
    }

    /** Ends the service as a crash does (SIGKILL); what it started lives on for a moment. */
    public void kill() {
        process.destroyForcibly();
        assertTrue(awaitExit(STOP_PATIENCE), "a killed process does not end");
    }

    /** Waits for the process to end by itself and returns its exit code. */
    public int exitCode() {
        assertTrue(awaitExit(START_PATIENCE), () -> "still running after " + START_PATIENCE + ":\n" + log());
        return process.exitValue();
    }

    /** The living children of the service: the watchdogs of its servers. */
    public List<ProcessHandle> children() {
        return process.children().toList();
    }

    /** The living processes whose program lies below the working directory: the embedded servers. */
    public List<ProcessHandle> servers() {
        return ProcessHandle.allProcesses()
                .filter(handle -> handle.info()
                        .command()
                        .filter(command -> Path.of(command).startsWith(directory))
                        .isPresent())
                .toList();
    }

    @Override
    public void close() {
        kill();
        servers().forEach(ProcessHandle::destroyForcibly);
    }

    private int statusOf(String path) {
        try {
            return get(path).statusCode();
        } catch (UncheckedIOException notYet) {
            return -1;
        }
    }

    private boolean awaitExit(Duration patience) {
        try {
            return process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
