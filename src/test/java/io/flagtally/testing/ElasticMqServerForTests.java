package io.flagtally.testing;

import io.flagtally.platform.embedded.LoopbackPort;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.sqs.SqsAsyncClient;

/**
 * A real ElasticMQ, which speaks the protocol of SQS, on a free port of 127.0.0.1. It keeps messages on disk, each before
 * it is confirmed, and checks no signature. It may be killed and started again on the same port.
 */
public final class ElasticMqServerForTests implements AutoCloseable {

    public static final String VERSION = "1.7.1";
    public static final String REGION = "eu-central-1";
    public static final String ACCOUNT = "000000000000";

    private static final Path PROGRAM =
            Path.of("src/native-test/elasticmq/ElasticMq.java").toAbsolutePath();

    private final Path home = TestData.newDirectory("elasticmq");
    private final String classPath = ServerJars.classPath("org.elasticmq:elasticmq-rest-sqs_2.13:" + VERSION);
    private final int port = LoopbackPort.free();
    private @Nullable ChildServer server;

    private ElasticMqServerForTests(String... queues) {
        String config = """
                include classpath("application.conf")
                pekko.loglevel = "WARNING"
                node-address { host = "127.0.0.1", port = %1$d }
                rest-sqs { bind-hostname = "127.0.0.1", bind-port = %1$d }
                aws { region = "%2$s", accountId = "%3$s" }
                messages-storage { enabled = true, uri = "jdbc:h2:%4$s;WRITE_DELAY=0" }
                queues { %5$s }
                """.formatted(
                        port,
                        REGION,
                        ACCOUNT,
                        home.resolve("messages"),
                        Stream.of(queues).map(ElasticMqServerForTests::queue).collect(Collectors.joining("\n")));
        try {
            Files.writeString(home.resolve("elasticmq.conf"), config);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** One with these empty queues, not yet started; a name that ends in {@code .fifo} makes a queue that keeps order. */
    public static ElasticMqServerForTests with(String... queues) {
        return new ElasticMqServerForTests(queues);
    }

    public int port() {
        return port;
    }

    public URI uri() {
        return URI.create("http://" + LoopbackPort.HOST + ":" + port);
    }

    public String queueUrl(String queue) {
        return uri() + "/" + ACCOUNT + "/" + queue;
    }

    /** A client of its own for a test. */
    public SqsAsyncClient newClient() {
        return SqsAsyncClient.builder()
                .endpointOverride(uri())
                .region(Region.of(REGION))
                .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("tests", "secret")))
                .httpClientBuilder(NettyNioAsyncHttpClient.builder())
                .build();
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

    /** Starts it, after {@link #kill} if it runs: same port, same messages. */
    public ElasticMqServerForTests start() {
        kill();
        server = ChildServer.startJava(
                        home,
                        List.of(
                                "-Xmx256m",
                                "-XX:+UseSerialGC",
                                ChildServer.STARTS_QUICKLY,
                                "-Dconfig.file=" + home.resolve("elasticmq.conf")),
                        classPath,
                        List.of(PROGRAM.toString()))
                .awaitPort(port);
        return this;
    }

    @Override
    public void close() {
        kill();
    }

    private static String queue(String name) {
        return "\"" + name + "\" { " + (name.endsWith(".fifo") ? "fifo = true" : "") + " }";
    }
}
