package io.flagtally.broker.redisstreams;

import io.flagtally.broker.Carrier;
import jakarta.inject.Singleton;
import java.util.Map;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.jspecify.annotations.Nullable;

/** Headers are fields of the entry, beside the one that holds the payload. */
@Singleton
final class RedisStreamsCarrier implements Carrier {

    @Override
    public String connector() {
        return RedisStreamsConnector.NAME;
    }

    @Override
    public Message<byte[]> outgoing(Message<byte[]> message, Map<String, String> headers, @Nullable String key) {
        return message.addMetadata(new StreamAddress(headers, key));
    }

    @Override
    public Arrived incoming(Message<?> message) {
        StreamEntry entry = message.getMetadata(StreamEntry.class)
                .orElseThrow(() -> new IllegalStateException("the message is none of Redis Streams"));
        return new Arrived((byte[]) message.getPayload(), entry.headers(), entry.redelivered());
    }
}
