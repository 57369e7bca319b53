package io.flagtally.broker.azure;

import io.flagtally.broker.AmqpBody;
import io.flagtally.broker.LeasedMessage;
import io.flagtally.broker.WireHeaders;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.messaging.ApplicationProperties;
import org.apache.qpid.proton.amqp.messaging.Data;
import org.apache.qpid.proton.message.Message;

/**
 * Headers and bytes as AMQP messages: headers are application properties, the content type is the property of that name.
 * A dead letter also says why in the two properties that Azure's own tools show.
 */
final class ServiceBusText {

    private static final String REASON = "DeadLetterReason";
    private static final String DESCRIPTION = "DeadLetterErrorDescription";

    private ServiceBusText() {}

    static Message written(byte[] payload, Map<String, String> headers) {
        Message message = Message.Factory.create();
        // What is sent again keeps its id, for queues that look for duplicates.
        message.setMessageId(UUID.randomUUID().toString());
        message.setDurable(true);
        Map<String, Object> properties = new HashMap<>(headers);
        Object type = properties.remove(WireHeaders.CONTENT_TYPE);
        if (type != null) {
            message.setContentType(type.toString());
        }
        copy(properties, WireHeaders.ERROR_CODE, REASON);
        copy(properties, WireHeaders.ERROR_DETAIL, DESCRIPTION);
        message.setApplicationProperties(new ApplicationProperties(properties));
        message.setBody(new Data(new Binary(payload)));
        return message;
    }

    static LeasedMessage leased(String lease, Message message) {
        Map<String, String> headers = new HashMap<>();
        ApplicationProperties properties = message.getApplicationProperties();
        if (properties != null) {
            properties.getValue().forEach((name, value) -> headers.put(name, String.valueOf(value)));
        }
        String type = message.getContentType();
        if (type != null) {
            headers.put(WireHeaders.CONTENT_TYPE, type);
        }
        return new LeasedMessage(lease, AmqpBody.bytes(message.getBody()), headers, message.getDeliveryCount() > 0);
    }

    private static void copy(Map<String, Object> properties, String from, String to) {
        Object value = properties.get(from);
        if (value != null) {
            properties.put(to, value);
        }
    }
}
