package io.flagtally.broker.rabbitmq;

import io.flagtally.broker.Carrier;
import io.smallrye.reactive.messaging.rabbitmq.IncomingRabbitMQMetadata;
import io.smallrye.reactive.messaging.rabbitmq.OutgoingRabbitMQMetadata;
import jakarta.inject.Singleton;
import java.util.HashMap;
import java.util.Map;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.jspecify.annotations.Nullable;

/** Headers travel as headers of the message, the key as the routing key, which a fanout exchange does not look at. */
@Singleton
class RabbitCarrier implements Carrier {

    private static final String OPAQUE = "application/octet-stream";
    private static final int PERSISTENT = 2;

    @Override
    public String connector() {
        return RabbitBroker.CONNECTOR;
    }

    @Override
    public Message<byte[]> outgoing(Message<byte[]> message, Map<String, String> headers, @Nullable String key) {
        var metadata = new OutgoingRabbitMQMetadata.Builder()
                .withHeaders(new HashMap<>(headers))
                .withContentType(OPAQUE)
                .withDeliveryMode(PERSISTENT);
        return message.addMetadata((key == null ? metadata : metadata.withRoutingKey(key)).build());
    }

    @Override
    public Arrived incoming(Message<?> message) {
        IncomingRabbitMQMetadata metadata = message.getMetadata(IncomingRabbitMQMetadata.class)
                .orElseThrow(() -> new IllegalStateException("the connector of RabbitMQ delivered something else"));
        Map<String, String> headers = new HashMap<>();
        metadata.getHeaders().forEach((name, value) -> headers.put(name, String.valueOf(value)));
        byte[] payload = message.getPayload() instanceof byte[] bytes ? bytes : new byte[0];
        return new Arrived(payload, headers, metadata.isRedeliver());
    }
}
