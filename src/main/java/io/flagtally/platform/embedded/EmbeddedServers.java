package io.flagtally.platform.embedded;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/** The embedded stores as child processes: PostgreSQL and Redis, each under a {@link Watchdog}. */
public final class EmbeddedServers implements EmbeddedStores {

    private static final Logger LOG = Logger.getLogger(EmbeddedServers.class);
    private static final Duration STOP_PATIENCE = Duration.ofSeconds(20);

    @Override
    public Running start(Wanted wanted) {
        RunningServers running = new RunningServers(DataDirectory.open(wanted.dataDirectory()));
        try {
            Path binaries = realDirectory(wanted.binaries());
            if (binaries.startsWith(running.directory.root())) {
                Leftovers.end(binaries);
            }
            if (wanted.postgres()) {
                running.startPostgres(binaries);
            }
            if (wanted.redis()) {
                running.startRedis(binaries);
            }
            return running;
        } catch (RuntimeException e) {
            running.close();
            throw e;
        }
    }

    private static Path realDirectory(Path path) {
        try {
            return Files.createDirectories(path.toAbsolutePath()).toRealPath();
        } catch (IOException e) {
            throw new EmbeddedStartException(
                    "The directory " + path + " for the servers' programs cannot be made (" + DataDirectory.reasonOf(e)
                            + ").",
                    e);
        }
    }

    /** Servers that run, last started first. */
    private static final class RunningServers implements Running {

        private record Guarded(ServerProcess server, Watchdog watchdog) {}

        private final DataDirectory directory;
        private final Deque<Guarded> servers = new ArrayDeque<>();
        private @Nullable String redisUrl;
        private @Nullable String postgresUrl;
        private boolean closed;

        RunningServers(DataDirectory directory) {
            this.directory = directory;
        }

        void startPostgres(Path binaries) {
            int port = LoopbackPort.free();
            guard(EmbeddedPostgresql.start(directory.sub("postgres"), binaries, port), EmbeddedPostgresql.PROGRAM);
            postgresUrl = "postgresql://" + LoopbackPort.HOST + ":" + port + "/postgres";
        }

        void startRedis(Path binaries) {
            int port = LoopbackPort.free();
            guard(EmbeddedRedis.start(directory.sub("redis"), binaries, port), EmbeddedRedis.PROGRAM);
            redisUrl = "redis://" + LoopbackPort.HOST + ":" + port;
        }

        private void guard(ServerProcess server, String program) {
            servers.push(new Guarded(server, Watchdog.over(server, program)));
        }

        @Override
        public Optional<String> redisUrl() {
            return Optional.ofNullable(redisUrl);
        }

        @Override
        public Optional<String> postgresUrl() {
            return Optional.ofNullable(postgresUrl);
        }

        @Override
        public synchronized void close() {
            if (closed) {
                return;
            }
            closed = true;
            for (Guarded each : servers) {
                each.server().stop(STOP_PATIENCE);
                each.watchdog().close();
            }
            directory.close();
            LOG.debug("The embedded servers have ended");
        }
    }
}
