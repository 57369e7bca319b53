package io.flagtally.testing;

import io.flagtally.platform.embedded.EmbeddedPostgresql;
import io.flagtally.platform.embedded.LoopbackPort;
import io.flagtally.platform.embedded.ServerProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.flywaydb.core.Flyway;

/**
 * A real PostgreSQL with our tables for one test, with its own data, that may be killed and started again on the same
 * port. Ends with {@link #close}, at the latest with the JVM.
 */
public final class PostgresServerForTests implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final Path home = TestData.newDirectory("postgres");
    private final int port = LoopbackPort.free();
    private final Thread endWithJvm = new Thread(this::kill, "test-postgres-stop");
    private volatile ServerProcess server;

    private PostgresServerForTests() {
        server = launch();
        Runtime.getRuntime().addShutdownHook(endWithJvm);
        var unused = Flyway.configure()
                .dataSource("jdbc:postgresql://" + LoopbackPort.HOST + ":" + port + "/postgres", "postgres", "postgres")
                .load()
                .migrate();
    }

    /** Starts a new PostgreSQL, makes our tables, and returns when it answers. */
    public static PostgresServerForTests start() {
        return new PostgresServerForTests();
    }

    public int port() {
        return port;
    }

    /** The directory of its data. */
    Path data() {
        return home.resolve("data");
    }

    /** Ends it in order. */
    public void stop() {
        server.stop(PATIENCE);
    }

    /** Ends all its processes as a crash would. */
    public void kill() {
        List<ProcessHandle> processes = ProcessHandle.of(server.pid())
                .map(handle -> handle.descendants().toList())
                .orElse(List.of());
        server.kill();
        processes.forEach(ProcessHandle::destroyForcibly);
        processes.forEach(process ->
                process.onExit().completeOnTimeout(process, 2, TimeUnit.SECONDS).join());
    }

    /** Starts it again after {@link #stop} or {@link #kill}: same port, same data. */
    public void restart() {
        kill();
        server = launch();
    }

    @Override
    public void close() {
        stop();
        boolean unused = Runtime.getRuntime().removeShutdownHook(endWithJvm);
    }

    private ServerProcess launch() {
        return EmbeddedPostgresql.start(home, TestData.binaries(), port);
    }
}
