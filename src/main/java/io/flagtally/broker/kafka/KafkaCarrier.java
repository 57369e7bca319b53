package io.flagtally.broker.kafka;

import io.flagtally.broker.Carrier;
import io.smallrye.common.annotation.Identifier;
import io.smallrye.reactive.messaging.kafka.api.IncomingKafkaRecordMetadata;
import io.smallrye.reactive.messaging.kafka.api.OutgoingKafkaRecordMetadata;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.jspecify.annotations.Nullable;

/** Headers travel as headers of the record, the key as its key. */
@Singleton
class KafkaCarrier implements Carrier {

    private final DeliveredMarks marks;

    @Inject
    KafkaCarrier(@Identifier(DeliveredMarks.NAME) DeliveredMarks marks) {
        this.marks = marks;
    }

    @Override
    public String connector() {
        return KafkaBroker.CONNECTOR;
    }

    @Override
    public Message<byte[]> outgoing(Message<byte[]> message, Map<String, String> headers, @Nullable String key) {
        Headers record = new RecordHeaders();
        headers.forEach((name, value) -> record.add(name, value.getBytes(StandardCharsets.UTF_8)));
        var metadata = OutgoingKafkaRecordMetadata.<String>builder().withHeaders(record);
        return message.addMetadata((key == null ? metadata : metadata.withKey(key)).build());
    }

    @Override
    public Arrived incoming(Message<?> message) {
        IncomingKafkaRecordMetadata<?, ?> record = message.getMetadata(IncomingKafkaRecordMetadata.class)
                .orElseThrow(() -> new IllegalStateException("the connector of Kafka delivered something else"));
        Map<String, String> headers = new HashMap<>();
        for (Header header : record.getHeaders()) {
            if (header.value() != null) {
                headers.put(header.key(), new String(header.value(), StandardCharsets.UTF_8));
            }
        }
        boolean redelivered =
                marks.passed(new TopicPartition(record.getTopic(), record.getPartition()), record.getOffset());
        byte[] payload = message.getPayload() instanceof byte[] bytes ? bytes : new byte[0];
        return new Arrived(payload, headers, redelivered);
    }
}
