package io.flagtally.testing;

import io.flagtally.platform.embedded.EmbeddedRedis;
import io.flagtally.platform.embedded.LoopbackPort;
import io.flagtally.platform.embedded.ServerProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A real Redis for one test, with its own data, that may be paused, killed and started again on the same port. Ends with
 * {@link #close}, at the latest with the JVM.
 */
public final class RedisServerForTests implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final Path home = TestData.newDirectory("redis");
    private final int port = LoopbackPort.free();
    private final Thread endWithJvm = new Thread(this::kill, "test-redis-stop");
    private volatile ServerProcess server;

    private RedisServerForTests() {
        server = launch();
        Runtime.getRuntime().addShutdownHook(endWithJvm);
    }

    /** Starts a new, empty Redis and returns when it answers. */
    public static RedisServerForTests start() {
        return new RedisServerForTests();
    }

    public int port() {
        return port;
    }

    public String url() {
        return "redis://" + LoopbackPort.HOST + ":" + port;
    }

    /** Makes it a replica of {@code master}. */
    public void follow(RedisServerForTests master) {
        run("REPLICAOF", LoopbackPort.HOST, String.valueOf(master.port));
    }

    /** Runs a command of words without spaces; fails if it is refused. */
    public void run(String... words) {
        try (Socket socket = new Socket(LoopbackPort.HOST, port)) {
            String command = String.join(" ", words) + "\r\n";
            socket.getOutputStream().write(command.getBytes(StandardCharsets.US_ASCII));
            int kind = socket.getInputStream().read();
            if (kind == '-' || kind < 0) {
                throw new IllegalStateException(command + "was refused");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Freezes it: connections stay open, nothing is answered. */
    public void pause() {
        server.signal("STOP");
    }

    /** Ends {@link #pause}. */
    public void resume() {
        server.signal("CONT");
    }

    /** Ends it in order. */
    public void stop() {
        resume();
        server.stop(PATIENCE);
    }

    /** Ends it as a crash would. */
    public void kill() {
        server.kill();
    }

    /** Starts it again after {@link #stop} or {@link #kill}: same port, same data. */
    public void restart() {
        kill();
        server = launch();
    }

    @Override
    public void close() {
        kill();
        boolean unused = Runtime.getRuntime().removeShutdownHook(endWithJvm);
    }

    private ServerProcess launch() {
        return EmbeddedRedis.start(home, TestData.binaries(), port);
    }
}
