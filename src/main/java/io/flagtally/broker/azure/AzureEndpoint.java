package io.flagtally.broker.azure;

import io.flagtally.broker.BrokerAddress;
import io.flagtally.broker.BrokerStartException;
import java.net.URI;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where a namespace of Service Bus is, and who calls.
 *
 * @param keyName the shared access policy; null for an identity
 * @param key its key; null for an identity
 */
record AzureEndpoint(
        String host,
        int port,
        boolean tls,
        @Nullable String keyName,
        @Nullable String key) {

    private static final String CONFIGURED = "flagtally.broker.azure.connection-string";
    private static final String NAMESPACE = "flagtally.broker.azure.namespace";
    private static final int TLS_PORT = 5671;
    private static final int PLAIN_PORT = 5672;

    /** @throws BrokerStartException with a sentence that names the key to set */
    static AzureEndpoint of(AzureConfig config) {
        if (config.connectionString().isPresent() && config.namespace().isPresent()) {
            throw new BrokerStartException(
                    CONFIGURED + " and " + NAMESPACE + " both say how to reach Service Bus; set one of them.");
        }
        return config.connectionString()
                .map(text -> ofPolicy(text, config.tls()))
                .or(() -> config.namespace().map(host -> ofIdentity(host, config.tls())))
                .orElseThrow(() -> new BrokerStartException("The profile azure needs a namespace of Service Bus; set "
                        + CONFIGURED + " to the connection string of a shared access policy, or " + NAMESPACE
                        + " to its host for an identity."));
    }

    private static AzureEndpoint ofIdentity(String host, boolean tls) {
        BrokerAddress address = BrokerAddress.all(List.of(host), tls ? TLS_PORT : PLAIN_PORT, NAMESPACE)
                .get(0);
        return new AzureEndpoint(address.host(), address.port(), tls, null, null);
    }

    private static AzureEndpoint ofPolicy(String text, boolean tlsConfigured) {
        Map<String, String> parts = parts(text);
        boolean emulator = Boolean.parseBoolean(parts.getOrDefault("usedevelopmentemulator", "false"));
        URI uri = uri(required(parts, "Endpoint"));
        boolean tls = tlsConfigured && !emulator;
        int portByDefault = tls ? TLS_PORT : PLAIN_PORT;
        return new AzureEndpoint(
                uri.getHost(),
                uri.getPort() < 0 ? portByDefault : uri.getPort(),
                tls,
                required(parts, "SharedAccessKeyName"),
                required(parts, "SharedAccessKey"));
    }

    /** Without the key. */
    @Override
    public String toString() {
        return host + ":" + port;
    }

    private static Map<String, String> parts(String text) {
        Map<String, String> parts = new HashMap<>();
        for (String part : text.strip().split(";", -1)) {
            int equals = part.indexOf('=');
            if (equals > 0) {
                parts.put(
                        part.substring(0, equals).strip().toLowerCase(Locale.ROOT),
                        part.substring(equals + 1).strip());
            }
        }
        return parts;
    }

    private static String required(Map<String, String> parts, String name) {
        String value = parts.get(name.toLowerCase(Locale.ROOT));
        if (value == null || value.isEmpty()) {
            throw new BrokerStartException(CONFIGURED + " has no " + name
                    + "; copy the whole connection string of a shared access policy of the namespace.");
        }
        return value;
    }

    private static URI uri(String endpoint) {
        try {
            URI uri = URI.create(endpoint);
            if (uri.getHost() != null) {
                return uri;
            }
        } catch (IllegalArgumentException notAUri) {
            // Said below.
        }
        throw new BrokerStartException(CONFIGURED + " has the Endpoint " + endpoint
                + ", which is none; it looks like sb://my-namespace.servicebus.windows.net/.");
    }
}
