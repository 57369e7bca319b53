package io.flagtally.broker.azure;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;
import java.util.Optional;

/** Azure Service Bus as the broker (profile {@code azure}). */
@ConfigMapping(prefix = "flagtally.broker.azure")
public interface AzureConfig {

    /**
     * The connection string of a shared access policy of the namespace, as Azure shows it:
     * {@code Endpoint=sb://…;SharedAccessKeyName=…;SharedAccessKey=…}. With {@code UseDevelopmentEmulator=true} it is
     * spoken to in plain text.
     */
    Optional<String> connectionString();

    /**
     * The lock duration of the queue or subscription, as it was made with. Locks are renewed three times in it while a
     * message is being worked on.
     */
    @WithDefault("60S")
    Duration lockDuration();

    /** Most messages that a process holds: delivered to it, locked and not settled. */
    @WithDefault("100")
    int prefetch();

    /** Most messages on their way to Service Bus at once; the sender waits. */
    @WithDefault("32")
    int sendsMax();
}
