package io.flagtally.testing;

import io.flagtally.platform.embedded.LoopbackPort;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A real Apache Artemis that speaks AMQP 1.0 on a free port of 127.0.0.1, with its own data; queues are made when they
 * are first used, unless their name begins with {@code closed.}, and whoever connects needs {@link #USER} and {@link #PASSWORD}. It may be killed and started again on
 * the same port. Ends with {@link #close}, at the latest with the JVM.
 */
public final class ArtemisServerForTests implements AutoCloseable {

    public static final String VERSION = "2.55.0";
    public static final String USER = "flagtally";
    public static final String PASSWORD = "right-password";

    private static final String BROKER = """
            <configuration xmlns="urn:activemq">
              <core xmlns="urn:activemq:core">
                <name>flagtally-tests</name>
                <persistence-enabled>true</persistence-enabled>
                <journal-type>NIO</journal-type>
                <journal-file-size>2M</journal-file-size>
                <journal-min-files>2</journal-min-files>
                <security-enabled>true</security-enabled>
                <acceptors>
                  <acceptor name="amqp">tcp://127.0.0.1:%d?protocols=AMQP;securityDomain=tests</acceptor>
                </acceptors>
                <security-settings>
                  <security-setting match="#">
                    <permission type="createAddress" roles="service"/>
                    <permission type="createNonDurableQueue" roles="service"/>
                    <permission type="createDurableQueue" roles="service"/>
                    <permission type="browse" roles="service"/>
                    <permission type="consume" roles="service"/>
                    <permission type="send" roles="service"/>
                    <permission type="deleteNonDurableQueue" roles="service"/>
                    <permission type="deleteAddress" roles="service"/>
                    <permission type="manage" roles="service"/>
                  </security-setting>
                </security-settings>
                <address-settings>
                  <address-setting match="#">
                    <max-delivery-attempts>-1</max-delivery-attempts>
                    <auto-delete-queues>false</auto-delete-queues>
                    <auto-delete-addresses>false</auto-delete-addresses>
                    <default-address-routing-type>ANYCAST</default-address-routing-type>
                    <default-queue-routing-type>ANYCAST</default-queue-routing-type>
                  </address-setting>
                  <address-setting match="closed.#">
                    <auto-create-queues>false</auto-create-queues>
                    <auto-create-addresses>false</auto-create-addresses>
                  </address-setting>
                </address-settings>
                <addresses>
                  %s
                </addresses>
              </core>
            </configuration>
            """;

    private static final String LOGIN = """
            tests {
              org.apache.activemq.artemis.spi.core.security.jaas.PropertiesLoginModule required
                baseDir="%s"
                org.apache.activemq.jaas.properties.user="users.properties"
                org.apache.activemq.jaas.properties.role="roles.properties";
            };
            """;

    private final Path home = TestData.newDirectory("artemis");
    private final String classPath = ServerJars.classPath(
            "org.apache.artemis:artemis-server:" + VERSION, "org.apache.artemis:artemis-amqp-protocol:" + VERSION);
    private final int port = LoopbackPort.free();
    private @Nullable ChildServer server;

    /**
     * Starts it, empty, and returns when it takes connections.
     *
     * @param queuesOfTopic addresses that give every message to each of these queues
     */
    public void start(Map<String, List<String>> queuesOfTopic) {
        StringBuilder topics = new StringBuilder();
        queuesOfTopic.forEach((topic, queues) -> {
            topics.append("<address name=\"").append(topic).append("\"><multicast>");
            queues.forEach(
                    queue -> topics.append("<queue name=\"").append(queue).append("\"/>"));
            topics.append("</multicast></address>");
        });
        try {
            Path etc = Files.createDirectories(home.resolve("etc"));
            Files.writeString(etc.resolve("broker.xml"), BROKER.formatted(port, topics));
            Files.writeString(etc.resolve("login.config"), LOGIN.formatted(etc));
            Files.writeString(etc.resolve("users.properties"), USER + "=" + PASSWORD + "\n");
            Files.writeString(etc.resolve("roles.properties"), "service=" + USER + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        restart();
    }

    public int port() {
        return port;
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

    /** Starts it, after {@link #kill} if it runs: same port, same data. */
    public void restart() {
        kill();
        server = ChildServer.startJava(
                        home,
                        List.of(
                                "-Xmx256m",
                                "-XX:+UseSerialGC",
                                "-Djava.security.auth.login.config=" + home.resolve("etc/login.config")),
                        classPath,
                        List.of("org.apache.activemq.artemis.core.server.embedded.Main", home.toString()))
                .awaitPort(port);
    }

    @Override
    public void close() {
        kill();
    }
}
