package io.flagtally.testing;

import io.flagtally.platform.embedded.LoopbackPort;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A real Apache Kafka of one node (KRaft) on free ports of 127.0.0.1, with its own data: it makes no topics by itself.
 * It may be killed and started again on the same ports. Ends with {@link #close}, at the latest with the JVM.
 */
public final class KafkaServerForTests implements AutoCloseable {

    public static final String VERSION = "4.3.1";

    /** Who may enter by {@link #securedServers}. */
    public static final String USER = "flagtally";

    public static final String PASSWORD = "right-password";

    /** Who may enter there too, with {@link #PASSWORD}, and has only the rights that a test grants. */
    public static final String LIMITED_USER = "limited";

    private final Path home = TestData.newDirectory("kafka");
    private final String classPath = ServerJars.classPath("org.apache.kafka:kafka_2.13:" + VERSION);
    private final int port = LoopbackPort.free();
    private final int securedPort = LoopbackPort.free();
    private final int directPort = LoopbackPort.free();
    private final List<String> jvmOptions = new ArrayList<>(List.of("-Xmx512m", "-XX:+UseSerialGC"));
    private @Nullable ChildServer server;

    /** @param jvmOptions more of them, such as {@link ChildServer#STARTS_QUICKLY} */
    public KafkaServerForTests(String... jvmOptions) {
        this.jvmOptions.addAll(List.of(jvmOptions));
    }

    /** Starts a new, empty Kafka that clients of its {@link #port} find at that port. */
    public static KafkaServerForTests started() {
        KafkaServerForTests kafka = new KafkaServerForTests();
        kafka.start(kafka.port);
        return kafka;
    }

    /**
     * Starts it, empty, and returns when it takes connections.
     *
     * @param reachedAt the port at which clients of {@link #port} are told to find it: a proxy's
     */
    public void start(int reachedAt) {
        Path config = writeConfig(reachedAt, LoopbackPort.free());
        String cluster = "MkU3OEVBNTcwNTJENDM2Qg";
        ChildServer.startJava(
                        home,
                        List.of(ChildServer.STARTS_QUICKLY),
                        classPath,
                        List.of("kafka.tools.StorageTool", "format", "-t", cluster, "-c", config.toString()))
                .awaitEnd();
        restart();
    }

    public int port() {
        return port;
    }

    /** The value of {@code bootstrap.servers} for the tests themselves, past any proxy. */
    public String directServers() {
        return LoopbackPort.HOST + ":" + directPort;
    }

    /** The same Kafka by a door that wants {@link #USER} and {@link #PASSWORD} (SASL PLAIN, no TLS). */
    public String securedServers() {
        return LoopbackPort.HOST + ":" + securedPort;
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
        }
    }

    /** Starts it, after {@link #kill} if it runs: same ports, same data. */
    public void restart() {
        kill();
        server = ChildServer.startJava(
                        home,
                        jvmOptions,
                        classPath,
                        List.of("kafka.Kafka", home.resolve("server.properties").toString()))
                .awaitPort(port);
    }

    @Override
    public void close() {
        kill();
    }

    private Path writeConfig(int reachedAt, int controllerPort) {
        String host = LoopbackPort.HOST;
        String listeners = ",SECURED://%s:%d,DIRECT://%s:%d".formatted(host, securedPort, host, directPort);
        List<String> lines = List.of(
                "process.roles=broker,controller",
                "node.id=1",
                "controller.quorum.voters=1@" + host + ":" + controllerPort,
                "controller.listener.names=CONTROLLER",
                "listeners=PLAINTEXT://" + host + ":" + port + listeners + ",CONTROLLER://" + host + ":"
                        + controllerPort,
                "advertised.listeners=PLAINTEXT://" + host + ":" + reachedAt + listeners,
                "listener.security.protocol.map="
                        + "PLAINTEXT:PLAINTEXT,SECURED:SASL_PLAINTEXT,DIRECT:PLAINTEXT,CONTROLLER:PLAINTEXT",
                "inter.broker.listener.name=DIRECT",
                "sasl.enabled.mechanisms=PLAIN",
                "listener.name.secured.plain.sasl.jaas.config="
                        + "org.apache.kafka.common.security.plain.PlainLoginModule required user_" + USER + "=\""
                        + PASSWORD + "\" user_" + LIMITED_USER + "=\"" + PASSWORD + "\";",
                "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users=User:ANONYMOUS;User:" + USER,
                "log.dirs=" + home.resolve("data"),
                "auto.create.topics.enable=false",
                "offsets.topic.replication.factor=1",
                "offsets.topic.num.partitions=4",
                "transaction.state.log.replication.factor=1",
                "transaction.state.log.min.isr=1",
                "share.coordinator.state.topic.replication.factor=1",
                "share.coordinator.state.topic.min.isr=1",
                "group.initial.rebalance.delay.ms=0");
        try {
            return Files.write(home.resolve("server.properties"), lines);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
