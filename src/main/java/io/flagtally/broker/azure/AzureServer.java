package io.flagtally.broker.azure;

import io.flagtally.broker.BrokerStartException;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.function.Consumer;

/** Connects to the namespace that is configured, as who is configured. */
@Singleton
class AzureServer {

    private final Vertx vertx;
    private final AzureConfig config;
    private final AzureIdentity identity;

    @Inject
    AzureServer(Vertx vertx, AzureConfig config, AzureIdentity identity) {
        this.vertx = vertx;
        this.config = config;
        this.identity = identity;
    }

    /**
     * Opens a connection; fails if Service Bus does not answer.
     *
     * @param lost is told once when the connection is gone, unless it was closed
     */
    Uni<AzureConnection> connect(Consumer<Throwable> lost) {
        AzureEndpoint endpoint = AzureEndpoint.of(config);
        return AzureConnection.open(vertx, endpoint, endpoint.keyName() == null ? identity : null, lost);
    }

    /** @throws BrokerStartException with a sentence that names the key to set, if this can never connect */
    void requireConfigured() {
        if (AzureEndpoint.of(config).keyName() == null) {
            identity.require();
        }
    }

    AzureConfig config() {
        return config;
    }

    Vertx vertx() {
        return vertx;
    }
}
