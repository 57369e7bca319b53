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
     * In place of a connection string: the host of the namespace ({@code my-namespace.servicebus.windows.net}), which an
     * identity of Entra ID calls.
     */
    Optional<String> namespace();

    Identity identity();

    /** False speaks plain text, which only a server for tests takes. */
    @WithDefault("true")
    boolean tls();

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

    /**
     * Who calls, if no connection string says so: with a secret a service principal, with a token file a workload identity,
     * with neither the managed identity of the machine.
     */
    interface Identity {

        /** The tenant of a service principal or of a workload identity. */
        @WithDefault("${AZURE_TENANT_ID:}")
        Optional<String> tenantId();

        /** The client id; of a managed identity only if it was assigned to the machine by a user. */
        @WithDefault("${AZURE_CLIENT_ID:}")
        Optional<String> clientId();

        /** The secret of a service principal. */
        @WithDefault("${AZURE_CLIENT_SECRET:}")
        Optional<String> clientSecret();

        /** The file with the token of a workload identity, which Kubernetes writes again and again. */
        @WithDefault("${AZURE_FEDERATED_TOKEN_FILE:}")
        Optional<String> tokenFile();

        /** Who gives tokens to service principals and workload identities. */
        @WithDefault("${AZURE_AUTHORITY_HOST:https://login.microsoftonline.com/}")
        String authority();

        /** Who gives tokens to the managed identity of a machine. */
        @WithDefault("http://169.254.169.254/")
        String metadata();
    }
}
