package io.flagtally.broker.aws;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What SNS puts around a message on its way to a queue, unless the subscription has {@code RawMessageDelivery}:
 * {@code {"Type":"Notification","Message":"…","MessageAttributes":{"content-type":{"Type":"String","Value":"…"}}}}.
 */
final class SnsEnvelope {

    private static final String START = "{";
    private static final ObjectMapper JSON = new ObjectMapper();

    private SnsEnvelope() {}

    /** Takes {@code body} out of its envelope; empty if it has none. */
    static Optional<AwsText> open(String body) {
        if (!body.startsWith(START)) {
            return Optional.empty();
        }
        try {
            JsonNode envelope = JSON.readTree(body);
            if (!envelope.path("Type").asText().equals("Notification")
                    || !envelope.path("TopicArn").isTextual()) {
                return Optional.empty();
            }
            Map<String, String> headers = new HashMap<>();
            envelope.path("MessageAttributes")
                    .properties()
                    .forEach(attribute -> headers.put(
                            attribute.getKey(),
                            attribute.getValue().path("Value").asText()));
            return Optional.of(new AwsText(envelope.path("Message").asText(), headers));
        } catch (JsonProcessingException notAnEnvelope) {
            return Optional.empty();
        }
    }
}
