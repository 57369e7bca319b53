package io.flagtally.testing;

import io.flagtally.platform.embedded.EmbeddedPostgresql;
import io.flagtally.platform.embedded.LoopbackPort;
import io.flagtally.platform.embedded.ServerProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Set;

/** A real PostgreSQL that streams from another one, and cancels reads that hold it up for a tenth of a second. */
public final class PostgresReplicaForTests implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final Set<String> NOT_COPIED = Set.of("postmaster.pid", "postmaster.opts", "epg-lock");

    private final Path home = TestData.newDirectory("replica");
    private final int port = LoopbackPort.free();
    private final Thread endWithJvm = new Thread(this::kill, "test-replica-stop");
    private volatile ServerProcess server;

    private PostgresReplicaForTests(PostgresServerForTests primary) {
        try {
            copy(primary);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        server = EmbeddedPostgresql.start(home, TestData.binaries(), port);
        Runtime.getRuntime().addShutdownHook(endWithJvm);
    }

    /** Starts a replica of {@code primary}, and returns when it answers. */
    public static PostgresReplicaForTests of(PostgresServerForTests primary) {
        return new PostgresReplicaForTests(primary);
    }

    public int port() {
        return port;
    }

    /** Ends it as a crash would. */
    public void kill() {
        server.kill();
    }

    /** Starts it again: same port, and it catches up. */
    public void restart() {
        kill();
        server = EmbeddedPostgresql.start(home, TestData.binaries(), port);
    }

    @Override
    public void close() {
        server.stop(PATIENCE);
        boolean unused = Runtime.getRuntime().removeShutdownHook(endWithJvm);
    }

    private void copy(PostgresServerForTests primary) throws IOException, SQLException {
        Path data = home.resolve("data");
        String url = "jdbc:postgresql://" + LoopbackPort.HOST + ":" + primary.port() + "/postgres";
        try (Connection connection = DriverManager.getConnection(url, "postgres", "postgres");
                Statement statement = connection.createStatement()) {
            boolean begun = statement.execute("select pg_backup_start('replica', true)");
            copy(primary.data(), data);
            try (ResultSet label = statement.executeQuery("select labelfile from pg_backup_stop(false)")) {
                boolean there = label.next() && begun;
                Files.writeString(data.resolve("backup_label"), there ? label.getString(1) : "");
            }
        }
        Files.createFile(data.resolve("standby.signal"));
        Files.writeString(
                data.resolve("postgresql.auto.conf"),
                "primary_conninfo = 'host=" + LoopbackPort.HOST + " port=" + primary.port()
                        + " user=postgres password=postgres'\nmax_standby_streaming_delay = 100\n",
                StandardOpenOption.APPEND);
    }

    private static void copy(Path from, Path to) throws IOException {
        Path log = from.resolve("pg_wal");
        Files.walkFileTree(from, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes)
                    throws IOException {
                Files.copy(directory, to.resolve(from.relativize(directory)), StandardCopyOption.COPY_ATTRIBUTES);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                if (!NOT_COPIED.contains(file.getFileName().toString()) && !file.startsWith(log)) {
                    Files.copy(file, to.resolve(from.relativize(file)), StandardCopyOption.COPY_ATTRIBUTES);
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException gone) {
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
