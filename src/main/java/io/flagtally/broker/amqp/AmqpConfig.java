package io.flagtally.broker.amqp;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.util.List;
import java.util.Optional;

/** Any broker that speaks AMQP 1.0, as the broker (profile {@code amqp}). */
@ConfigMapping(prefix = "flagtally.broker.amqp")
public interface AmqpConfig {

    /** Where the broker listens, as {@code host:port}; several are tried in turns. */
    Optional<List<String>> addresses();

    /** The user; none connects without saying who. */
    Optional<String> username();

    /** The password of the user. */
    Optional<String> password();

    /** True speaks TLS, and checks the broker's certificate against the trust store of Java. */
    @WithDefault("false")
    boolean tls();

    /** Most messages that a process works on; a quarter more may lie ready. */
    @WithDefault("100")
    int prefetch();

    /** Most messages on their way to the broker at once; the sender waits. */
    @WithDefault("256")
    int sendsMax();
}
