package io.flagtally.retail;

import static org.awaitility.Awaitility.await;

import io.flagtally.platform.embedded.LoopbackPort;
import io.flagtally.testing.TestData;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A server of the machine's own Redis package ({@code redis-server} and {@code redis-cli}, Redis 7), on a free port of
 * 127.0.0.1 and with data below {@code target}. It ends with {@link #close}, and at the latest with this JVM, also when
 * that is killed: a shell holds our pipe and ends the server when it closes.
 */
final class InstalledRedis implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final String GUARDED = "\"$@\" & server=$!; cat >/dev/null; kill -9 $server";

    private final Path home = TestData.newDirectory("installed-redis");
    private final int port = LoopbackPort.free();
    private final List<String> command;
    private Process process;

    private InstalledRedis(List<String> settings, boolean sentinel) {
        try {
            List<String> lines = new ArrayList<>(List.of("bind 127.0.0.1", "port " + port, "dir \"" + home + "\""));
            if (!sentinel) {
                lines.addAll(List.of("appendonly no", "save \"\"", "pidfile \"" + home.resolve("pid") + "\""));
            }
            lines.addAll(settings);
            Path config = Files.write(home.resolve("redis.conf"), lines);
            command = new ArrayList<>(List.of("sh", "-c", GUARDED, "guard", "redis-server", config.toString()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (sentinel) {
            command.add("--sentinel");
        }
        start();
    }

    /** Starts an empty server with lines of {@code redis.conf}. */
    static InstalledRedis server(String... settings) {
        return new InstalledRedis(List.of(settings), false);
    }

    /** Starts a sentinel over {@code master}, which it calls {@code counts}. */
    static InstalledRedis sentinel(InstalledRedis master, int quorum) {
        return new InstalledRedis(
                List.of(
                        "sentinel monitor counts 127.0.0.1 " + master.port() + " " + quorum,
                        "sentinel down-after-milliseconds counts 1000",
                        "sentinel failover-timeout counts 60000"),
                true);
    }

    int port() {
        return port;
    }

    String url() {
        return "redis://127.0.0.1:" + port;
    }

    /** Starts it again after {@link #kill}. */
    void start() {
        try {
            process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(Redirect.appendTo(home.resolve("log").toFile()))
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        await("redis-server; it comes with the package redis-server, which .ci/run installs: " + home.resolve("log"))
                .atMost(PATIENCE)
                .until(() -> answer("PING").equals("PONG"));
    }

    /** Ends it as a crash does. */
    void kill() {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        await().atMost(PATIENCE).until(() -> !process.isAlive() && LoopbackPort.isFree("127.0.0.1", port));
    }

    /** Runs one command; fails if Redis answers with an error. */
    String run(String... words) {
        String answer = answer(words);
        if (answer.matches("(?s)(ERR|[A-Z]{4,}) .*")) {
            throw new IllegalStateException(String.join(" ", words) + ": " + answer);
        }
        return answer;
    }

    /** Runs {@code redis-cli} with these arguments and returns what it prints. */
    static String cli(String... arguments) {
        List<String> command = new ArrayList<>(List.of("redis-cli"));
        command.addAll(List.of(arguments));
        try {
            Process cli = new ProcessBuilder(command).redirectErrorStream(true).start();
            cli.getOutputStream().close();
            try (InputStream out = cli.getInputStream()) {
                return new String(out.readAllBytes(), StandardCharsets.UTF_8).trim();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        kill();
    }

    private String answer(String... words) {
        String[] arguments = new String[words.length + 4];
        arguments[0] = "-h";
        arguments[1] = "127.0.0.1";
        arguments[2] = "-p";
        arguments[3] = String.valueOf(port);
        System.arraycopy(words, 0, arguments, 4, words.length);
        return cli(arguments);
    }
}
