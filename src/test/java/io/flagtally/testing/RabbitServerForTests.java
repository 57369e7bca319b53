package io.flagtally.testing;

import static org.awaitility.Awaitility.await;

import io.flagtally.platform.embedded.LoopbackPort;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A real RabbitMQ of the machine's own package on free ports of 127.0.0.1, as a node of its own name with its own data;
 * user and password are {@code guest}. It may be killed and started again on the same port. Ends with {@link #close},
 * at the latest with the JVM.
 */
public final class RabbitServerForTests implements AutoCloseable {

    /** The scripts of the package without its wrapper, which insists on its own user and directories. */
    private static final Path SCRIPTS = Path.of("/usr/lib/rabbitmq/bin");

    private static final String LIBRARY_PREFIX = "rabbitmq_server-";
    private static final Pattern COUNT = Pattern.compile("\\{ok, ([0-9]+)}");
    private static final Duration PATIENCE = Duration.ofSeconds(120);

    private final Path home = TestData.newDirectory("rabbitmq");
    private final int port = LoopbackPort.free();
    private final int epmdPort = LoopbackPort.free();
    private final int distributionPort = LoopbackPort.free();
    private final Map<String, String> environment = Map.ofEntries(
            Map.entry("HOME", home.toString()),
            Map.entry("RABBITMQ_NODENAME", "flagtally" + port + "@localhost"),
            Map.entry("RABBITMQ_NODE_IP_ADDRESS", LoopbackPort.HOST),
            Map.entry("RABBITMQ_NODE_PORT", String.valueOf(port)),
            Map.entry("RABBITMQ_DIST_PORT", String.valueOf(distributionPort)),
            Map.entry("RABBITMQ_MNESIA_BASE", home.resolve("data").toString()),
            Map.entry("RABBITMQ_LOG_BASE", home.resolve("logs").toString()),
            Map.entry("RABBITMQ_CONFIG_FILE", home.resolve("rabbitmq").toString()),
            Map.entry("RABBITMQ_CONF_ENV_FILE", home.resolve("no-env.conf").toString()),
            Map.entry(
                    "RABBITMQ_ENABLED_PLUGINS_FILE",
                    home.resolve("enabled_plugins").toString()),
            Map.entry("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1}"),
            Map.entry("ERL_EPMD_ADDRESS", LoopbackPort.HOST),
            Map.entry("ERL_EPMD_PORT", String.valueOf(epmdPort)));
    private @Nullable ChildServer names;
    private @Nullable ChildServer server;

    /** Starts it, empty, and returns when it takes connections. */
    public void start() {
        if (!Files.isExecutable(SCRIPTS.resolve("rabbitmq-server"))) {
            throw new IllegalStateException(
                    "there is no RabbitMQ; it comes with the package rabbitmq-server, which .ci/run installs");
        }
        try {
            Files.writeString(home.resolve("enabled_plugins"), "[].\n");
            // No guessing from the size of the machine: below this it would stop publishers.
            Files.writeString(home.resolve("rabbitmq.conf"), "disk_free_limit.absolute = 50MB\n");
            Path epmd = Files.createDirectories(home.resolve("epmd"));
            names = ChildServer.start(epmd, environment, List.of("epmd")).awaitPort(epmdPort);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        restart();
    }

    /** Known without starting it: the package keeps its libraries in a directory of this name. */
    public String version() {
        try (Stream<Path> libraries = Files.list(SCRIPTS.resolveSibling("lib"))) {
            return libraries
                    .map(each -> each.getFileName().toString())
                    .filter(name -> name.startsWith(LIBRARY_PREFIX))
                    .map(name -> name.substring(LIBRARY_PREFIX.length()))
                    .findFirst()
                    .orElse("of unknown version");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public int port() {
        return port;
    }

    /**
     * Messages of a quorum queue, delivered or not. Asked of the queue itself: what {@code rabbitmqctl} lists is up to five
     * seconds old.
     */
    public long messages(String queue) {
        return ask(queue, "query_messages_total");
    }

    /** Messages of a quorum queue that are delivered and not acknowledged. */
    public long messagesDelivered(String queue) {
        return ask(queue, "query_messages_checked_out");
    }

    private long ask(String queue, String query) {
        String answer = evaluate("""
                {ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<"%s">>)),
                {ok, {_, N}, _} = ra:local_query(amqqueue:get_pid(Q), fun rabbit_fifo:%s/1),
                N.
                """.formatted(queue, query));
        Matcher count = COUNT.matcher(answer);
        if (!count.matches()) {
            throw new IllegalStateException("RabbitMQ does not say how much " + queue + " holds: " + answer);
        }
        return Long.parseLong(count.group(1));
    }

    /** Makes it say that its memory is full, or no longer: it then takes no messages. */
    public void memoryIsFull(boolean full) {
        String answer = evaluate(
                full
                        ? "rabbit_alarm:set_alarm({{resource_limit, memory, node()}, []}).\n"
                        : "rabbit_alarm:clear_alarm({resource_limit, memory, node()}).\n");
        if (!answer.contains("ok")) {
            throw new IllegalStateException("RabbitMQ takes no alarm: " + answer);
        }
    }

    /** Evaluates Erlang in the server and returns what is printed: {@code {ok, value}} if all went well. */
    private String evaluate(String erlang) {
        try {
            String cookie = Files.readString(home.resolve(".erlang.cookie")).strip();
            ProcessBuilder builder = new ProcessBuilder(
                            "erl_call", "-c", cookie, "-sname", environment.get("RABBITMQ_NODENAME"), "-e")
                    .redirectErrorStream(true);
            builder.environment().putAll(environment);
            Process call = builder.start();
            try (OutputStream in = call.getOutputStream()) {
                in.write(erlang.getBytes(StandardCharsets.UTF_8));
            }
            try (InputStream out = call.getInputStream()) {
                return new String(out.readAllBytes(), StandardCharsets.UTF_8).strip();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Ends it in order. */
    public void stop() {
        if (server != null) {
            server.stop();
            server = null;
        }
    }

    /** Ends it as a crash would. */
    public void kill() {
        if (server != null) {
            server.kill();
            server = null;
            await().atMost(PATIENCE).until(() -> LoopbackPort.isFree(LoopbackPort.HOST, port));
        }
    }

    /** Starts it, after {@link #kill} if it runs: same port, same data. */
    public void restart() {
        kill();
        server = ChildServer.start(
                        home,
                        environment,
                        List.of(SCRIPTS.resolve("rabbitmq-server").toString()))
                .awaitPort(port);
    }

    @Override
    public void close() {
        kill();
        if (names != null) {
            names.kill();
        }
    }
}
