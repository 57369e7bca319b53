package io.flagtally.platform.embedded;

import java.io.IOException;
import java.io.InputStream;
import java.lang.ProcessBuilder.Redirect;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import redis.embedded.core.ExecutableProvider;
import redis.embedded.model.OsArchitecture;

/** A real Redis 6.2 on 127.0.0.1: every write is on disk before it is answered, and nothing is evicted. */
public final class EmbeddedRedis {

    static final String PROGRAM = "redis-server";

    private static final Duration START_PATIENCE = Duration.ofSeconds(120);
    private static final Duration POLL = Duration.ofMillis(20);
    private static final int PROBE_TIMEOUT_MILLIS = 1_000;
    private static final byte[] PING = "PING\r\n".getBytes(StandardCharsets.US_ASCII);

    private EmbeddedRedis() {}

    /**
     * Starts a Redis with its data in {@code home}, and returns when it answers.
     *
     * @throws EmbeddedStartException if it does not come up
     */
    public static ServerProcess start(Path home, Path binaries, int port) {
        Path pidFile = home.resolve("redis.pid");
        Path log = home.resolve("redis.log");
        try {
            Files.deleteIfExists(log);
            Path config = Files.write(home.resolve("redis.conf"), config(home, pidFile, log, port));
            launch(program(binaries), config, log);
            return awaitAnswer(home, log, port);
        } catch (IOException e) {
            throw new EmbeddedStartException(
                    "The embedded Redis cannot be started in " + home + " (" + DataDirectory.reasonOf(e) + ").", e);
        }
    }

    /** {@code daemonize} gives the server a session of its own. */
    private static List<String> config(Path home, Path pidFile, Path log, int port) {
        return List.of(
                "bind " + LoopbackPort.HOST,
                "port " + port,
                "dir " + quoted(home),
                "pidfile " + quoted(pidFile),
                "logfile " + quoted(log),
                "daemonize yes",
                "appendonly yes",
                "appendfsync always",
                // A rewrite of the file takes the disk from the writes beside it; half a gigabyte is read back in
                // seconds.
                "auto-aof-rewrite-min-size 512mb",
                "rdbcompression no",
                "save \"\"",
                "maxmemory-policy noeviction",
                "set-max-intset-entries 16384");
    }

    private static String quoted(Path path) {
        return '"' + path.toString().replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    private static void launch(Path program, Path config, Path log) throws IOException {
        Process launcher = new ProcessBuilder(program.toString(), config.toString())
                .redirectErrorStream(true)
                .redirectOutput(Redirect.appendTo(log.toFile()))
                .start();
        try {
            int exit = launcher.waitFor();
            if (exit != 0) {
                throw new EmbeddedStartException("The embedded Redis ended at its start with exit code " + exit + ": "
                        + lastLine(log) + " (see " + log + ").");
            }
        } catch (InterruptedException e) {
            launcher.destroyForcibly();
            Thread.currentThread().interrupt();
            throw EmbeddedStartException.cutShort(e);
        }
    }

    private static ServerProcess awaitAnswer(Path home, Path log, int port) throws IOException {
        long deadline = System.nanoTime() + START_PATIENCE.toNanos();
        String pid = "";
        while (System.nanoTime() - deadline < 0) {
            pid = pid.isEmpty() ? pid(log) : pid;
            Optional<ServerProcess> server = ServerProcess.of(pid).filter(process -> !process.ended());
            if (server.isPresent() && answers(port)) {
                return server.get();
            }
            if (!pid.isEmpty() && server.isEmpty()) {
                break;
            }
            LockSupport.parkNanos(POLL.toNanos());
        }
        ServerProcess.of(pid).ifPresent(ServerProcess::kill);
        throw new EmbeddedStartException("The embedded Redis does not come up with the data in " + home + ": "
                + lastLine(log) + "; " + log
                + " says more; put a copy of the data directory back, or move it away to begin empty.");
    }

    /** The server's process id, with which it begins each line of its log from the first on; empty as long as it has none. */
    private static String pid(Path log) throws IOException {
        String lastLine = lastLine(log);
        int colon = lastLine.indexOf(':');
        return colon > 0 && lastLine.substring(0, colon).matches("[0-9]+") ? lastLine.substring(0, colon) : "";
    }

    private static boolean answers(int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(LoopbackPort.HOST, port), PROBE_TIMEOUT_MILLIS);
            socket.setSoTimeout(PROBE_TIMEOUT_MILLIS);
            socket.getOutputStream().write(PING);
            return new String(socket.getInputStream().readNBytes(5), StandardCharsets.US_ASCII).equals("+PONG");
        } catch (IOException notYet) {
            return false;
        }
    }

    private static String lastLine(Path log) throws IOException {
        if (!Files.exists(log)) {
            return "it wrote no log";
        }
        List<String> lines = Files.readString(log, StandardCharsets.UTF_8)
                .lines()
                .filter(line -> !line.isBlank())
                .toList();
        return lines.isEmpty() ? "it wrote no log" : lines.get(lines.size() - 1).trim();
    }

    /** Unpacks the program of this operating system once; other processes may do so at the same time. */
    private static Path program(Path binaries) throws IOException {
        String resource = resource();
        Path program = binaries.resolve(resource);
        if (Files.isExecutable(program)) {
            return program;
        }
        Files.createDirectories(binaries);
        Path unpacked = Files.createTempFile(binaries, PROGRAM, ".unpacking");
        try (InputStream in = ExecutableProvider.class.getResourceAsStream("/" + resource)) {
            if (in == null) {
                throw noProgram();
            }
            Files.copy(in, unpacked, StandardCopyOption.REPLACE_EXISTING);
        }
        if (!unpacked.toFile().setExecutable(true)) {
            throw new IOException("the file system refuses programs: " + unpacked);
        }
        return moved(unpacked, program);
    }

    private static Path moved(Path from, Path to) throws IOException {
        try {
            return Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            return Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** The name of the program, without the slash that the library puts before it. */
    private static String resource() {
        Map<OsArchitecture, String> programs = ExecutableProvider.newProvidedVersionsMap();
        try {
            return Optional.ofNullable(programs.get(OsArchitecture.detectOSandArchitecture()))
                    .map(name -> name.substring(name.lastIndexOf('/') + 1))
                    .orElseThrow(EmbeddedRedis::noProgram);
        } catch (RuntimeException unknownSystem) {
            throw noProgram();
        }
    }

    private static EmbeddedStartException noProgram() {
        return new EmbeddedStartException("There is no embedded Redis for " + System.getProperty("os.name") + " on "
                + System.getProperty("os.arch") + "; configure your own with flagtally.redis.url.");
    }
}
