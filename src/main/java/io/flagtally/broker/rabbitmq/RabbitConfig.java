package io.flagtally.broker.rabbitmq;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.util.List;
import java.util.Optional;

/** RabbitMQ as the broker (profile {@code rabbitmq}). */
@ConfigMapping(prefix = "flagtally.broker.rabbitmq")
public interface RabbitConfig {

    /** Where RabbitMQ listens, as {@code host:port}; the nodes of a cluster are tried in turns. */
    Optional<List<String>> addresses();

    /** The user; it must be allowed to configure, write and read what is published to and subscribed to. */
    @WithDefault("guest")
    String username();

    /** The password of the user. */
    @WithDefault("guest")
    String password();

    /** The virtual host that holds exchanges and queues. */
    @WithDefault("/")
    String virtualHost();

    /** True speaks TLS, and checks the server's certificate against the trust store of Java. */
    @WithDefault("false")
    boolean tls();

    /** Most messages that a process holds: delivered to it and not acknowledged. */
    @WithDefault("100")
    int prefetch();

    /** Most messages on their way to RabbitMQ at once; the sender waits. */
    @WithDefault("256")
    int sendsMax();
}
