package io.flagtally.platform.embedded;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;

/** A real PostgreSQL 18 on 127.0.0.1 that loses no committed transaction. */
final class EmbeddedPostgresql {

    static final String PROGRAM = "postgres";

    static final String MAJOR_VERSION = "18";

    private static final Duration START_PATIENCE = Duration.ofSeconds(120);

    private EmbeddedPostgresql() {}

    /**
     * Starts a PostgreSQL with its data in {@code home/data}, and returns when it answers. A first start that was cut
     * short begins again.
     *
     * @throws EmbeddedStartException if it does not come up
     */
    static ServerProcess start(Path home, Path binaries, int port) {
        Path data = home.resolve("data");
        Path initializing = home.resolve("initializing");
        Path log = home.resolve("postgres.log");
        Path pidFile = data.resolve("postmaster.pid");
        try {
            prepare(data, initializing);
            launch(data, binaries, log, port);
            Files.deleteIfExists(initializing);
            return process(pidFile).orElseThrow(() -> new IOException("it ended just after its start"));
        } catch (IOException | RuntimeException e) {
            process(pidFile).filter(server -> server.runsProgramBelow(binaries)).ifPresent(ServerProcess::kill);
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

    /** The server is never stopped through the launcher, which gives up after five seconds. */
    @SuppressWarnings("resource")
    private static void launch(Path data, Path binaries, Path log, int port) throws IOException {
        File output = log.toFile();
        Files.deleteIfExists(log);
        EmbeddedPostgres unused = EmbeddedPostgres.builder()
                .setPort(port)
                .setDataDirectory(data)
                .setCleanDataDirectory(false)
                .setRegisterShutdownHook(false)
                .setOverrideWorkingDirectory(binaries.toFile())
                .setPGStartupWait(START_PATIENCE)
                .setOutputRedirector(Redirect.appendTo(output))
                .setErrorRedirector(Redirect.appendTo(output))
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
                .setServerConfig("log_timezone", "UTC")
                .start();
    }

    private static EmbeddedStartException refused(Exception e, Path home, Path log) {
        if (e instanceof EmbeddedStartException sentence) {
            return sentence;
        }
        String message = String.valueOf(e.getMessage());
        if (e instanceof IllegalStateException && message.contains("Missing postgres binaries")
                || message.contains("Missing embedded postgres binaries")) {
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
