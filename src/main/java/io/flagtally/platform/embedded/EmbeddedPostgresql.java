package io.flagtally.platform.embedded;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;

/** A real PostgreSQL 18 on 127.0.0.1 that loses no committed transaction. */
public final class EmbeddedPostgresql {

    static final String PROGRAM = "postgres";

    /** Held by the launcher as long as this JVM lives, which our own lock makes needless. */
    private static final String LAUNCHERS_LOCK = "epg-lock";

    static final String MAJOR_VERSION = "18";

    private static final Duration START_PATIENCE = Duration.ofSeconds(120);

    private static final Duration STOP_PATIENCE = Duration.ofSeconds(20);
    private static final Duration POLL = Duration.ofMillis(50);

    /** How the launcher's program begins what it has to complain about. */
    private static final String COMPLAINT = "pg_ctl: ";

    /** Complaints after which it goes on. */
    private static final List<String> HARMLESS = List.of("trying to start server anyway", "did not start in time");

    private EmbeddedPostgresql() {}

    /**
     * Starts a PostgreSQL with its data in {@code home/data}, and returns when it answers. A first start that was cut
     * short begins again. Whoever calls holds the directory and has seen to it that no server runs in it.
     *
     * @throws EmbeddedStartException if it does not come up
     */
    public static ServerProcess start(Path home, Path binaries, int port) {
        Path data = home.resolve("data");
        Path initializing = home.resolve("initializing");
        Path log = home.resolve("postgres.log");
        Path pidFile = data.resolve("postmaster.pid");
        try {
            Files.deleteIfExists(pidFile);
            Files.deleteIfExists(data.resolve(LAUNCHERS_LOCK));
            prepare(data, initializing);
            launch(data, binaries, log, port);
            Files.deleteIfExists(initializing);
            return process(pidFile).orElseThrow(() -> new IOException("it ended just after its start"));
        } catch (IOException | RuntimeException e) {
            process(pidFile)
                    .filter(server -> server.runsProgramBelow(binaries))
                    .ifPresent(server -> server.stop(STOP_PATIENCE));
            throw refused(e, home, log);
        }
    }

    private static void prepare(Path data, Path initializing) throws IOException {
        if (Files.exists(initializing)) {
            delete(data);
        }
        if (!Files.exists(data)) {
            Files.writeString(initializing, "The first start is under way; without its end the data is made anew.\n");
            return;
        }
        String version = Files.readString(data.resolve("PG_VERSION")).trim();
        if (!version.equals(MAJOR_VERSION)) {
            throw new EmbeddedStartException(
                    "The data in " + data + " belongs to PostgreSQL " + version
                            + ", and this Flagtally brings " + MAJOR_VERSION
                            + "; start the Flagtally that wrote it, or choose another directory with flagtally.embedded.data-dir.");
        }
    }

    private static Optional<ServerProcess> process(Path pidFile) {
        try {
            return Files.readString(pidFile).lines().findFirst().flatMap(line -> ServerProcess.of(line.trim()));
        } catch (IOException noFile) {
            return Optional.empty();
        }
    }

    private static void delete(Path tree) throws IOException {
        if (!Files.exists(tree)) {
            return;
        }
        try (Stream<Path> paths = Files.walk(tree)) {
            for (Path path : (Iterable<Path>) paths.sorted(Comparator.reverseOrder())::iterator) {
                Files.delete(path);
            }
        }
    }

    /** The launcher waits for its whole patience even for a server that has given up; this sees it in the log. */
    private static void launch(Path data, Path binaries, Path log, int port) throws IOException {
        Files.deleteIfExists(log);
        FutureTask<EmbeddedPostgres> launch =
                new FutureTask<>(() -> launcher(data, binaries, log, port).start());
        Thread thread = new Thread(launch, "postgres-start");
        thread.setDaemon(true);
        thread.start();
        boolean interrupted = awaitEnd(thread, log);
        if (interrupted) {
            Thread.currentThread().interrupt();
            throw EmbeddedStartException.cutShort(null);
        }
        result(launch);
    }

    /**
     * Returns when the launcher has ended, even if this thread is interrupted meanwhile: its programs cannot be called off,
     * and a server that they started has to be known, to be stopped.
     */
    private static boolean awaitEnd(Thread launcher, Path log) throws IOException {
        boolean interrupted = false;
        while (launcher.isAlive()) {
            try {
                launcher.join(POLL.toMillis());
            } catch (InterruptedException e) {
                interrupted = true;
            }
            if (hasGivenUp(log)) {
                launcher.interrupt();
                throw new IOException("it gave up");
            }
        }
        return interrupted;
    }

    /** The launcher is never closed: it would stop the server with a patience of five seconds only. */
    private static void result(FutureTask<EmbeddedPostgres> launch) throws IOException {
        try {
            EmbeddedPostgres unused = launch.get();
        } catch (ExecutionException e) {
            throw new IOException(String.valueOf(e.getCause()), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw EmbeddedStartException.cutShort(e);
        }
    }

    private static boolean hasGivenUp(Path log) throws IOException {
        return Files.exists(log)
                && Files.readString(log)
                        .lines()
                        .filter(line -> line.startsWith(COMPLAINT))
                        .anyMatch(line -> HARMLESS.stream().noneMatch(line::contains));
    }

    private static EmbeddedPostgres.Builder launcher(Path data, Path binaries, Path log, int port) {
        Redirect output = Redirect.appendTo(log.toFile());
        return EmbeddedPostgres.builder()
                .setPort(port)
                .setDataDirectory(data)
                .setCleanDataDirectory(false)
                .setRegisterShutdownHook(false)
                .setOverrideWorkingDirectory(binaries.toFile())
                .setPGStartupWait(START_PATIENCE)
                .setOutputRedirector(output)
                .setErrorRedirector(output)
                .setLocaleConfig("locale-provider", "builtin")
                .setLocaleConfig("builtin-locale", "C.UTF-8")
                .setLocaleConfig("locale", "C")
                .setServerConfig("listen_addresses", LoopbackPort.HOST)
                .setServerConfig("unix_socket_directories", "")
                .setServerConfig("fsync", "on")
                .setServerConfig("synchronous_commit", "on")
                .setServerConfig("full_page_writes", "on")
                .setServerConfig("max_connections", "100")
                .setServerConfig("timezone", "UTC")
                .setServerConfig("log_timezone", "UTC");
    }

    private static EmbeddedStartException refused(Exception e, Path home, Path log) {
        if (e instanceof EmbeddedStartException sentence) {
            return sentence;
        }
        String message = String.valueOf(e.getMessage());
        if (message.contains("Missing embedded postgres binaries")) {
            return new EmbeddedStartException(
                    "There is no embedded PostgreSQL for " + System.getProperty("os.name") + " on "
                            + System.getProperty("os.arch")
                            + " in this build; configure your own with flagtally.postgres.url.",
                    e);
        }
        return new EmbeddedStartException(
                "The embedded PostgreSQL does not come up with the data in " + home + " (" + message + "); " + log
                        + " says more; put a copy of the data directory back, or move it away to begin empty.",
                e);
    }
}
