package io.flagtally.broker.amqp;

import io.flagtally.broker.Carrier;
import io.smallrye.reactive.messaging.amqp.IncomingAmqpMetadata;
import io.smallrye.reactive.messaging.amqp.OutgoingAmqpMetadata;
import io.vertx.core.json.JsonObject;
import jakarta.inject.Singleton;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.jspecify.annotations.Nullable;

/** Headers travel as application properties, the key as the group id. */
@Singleton
class AmqpCarrier implements Carrier {

    private static final String OPAQUE = "application/octet-stream";

    @Override
    public String connector() {
        return AmqpBroker.CONNECTOR;
    }

    @Override
    public Message<byte[]> outgoing(Message<byte[]> message, Map<String, String> headers, @Nullable String key) {
        var metadata = OutgoingAmqpMetadata.builder()
                .withApplicationProperties(new JsonObject(new HashMap<>(headers)))
                .withContentType(OPAQUE)
                .withDurable(true);
        return message.addMetadata((key == null ? metadata : metadata.withGroupId(key)).build());
    }

    @Override
    public Arrived incoming(Message<?> message) {
        IncomingAmqpMetadata metadata = message.getMetadata(IncomingAmqpMetadata.class)
                .orElseThrow(() -> new IllegalStateException("the connector of AMQP delivered something else"));
        Map<String, String> headers = new HashMap<>();
        JsonObject properties = metadata.getProperties();
        if (properties != null) {
            properties.forEach(each -> headers.put(each.getKey(), String.valueOf(each.getValue())));
        }
        byte[] payload = message.getPayload() instanceof byte[] bytes
                ? bytes
                : String.valueOf(message.getPayload()).getBytes(StandardCharsets.UTF_8);
        return new Arrived(payload, headers, metadata.getDeliveryCount() > 0);
    }
}
