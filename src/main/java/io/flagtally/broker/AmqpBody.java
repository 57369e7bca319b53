package io.flagtally.broker;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.messaging.AmqpSequence;
import org.apache.qpid.proton.amqp.messaging.AmqpValue;
import org.apache.qpid.proton.amqp.messaging.Data;
import org.apache.qpid.proton.amqp.messaging.Section;
import org.jspecify.annotations.Nullable;

/** The body of an AMQP 1.0 message. */
public final class AmqpBody {

    private AmqpBody() {}

    /** The bytes, whether a client sent them as data, as a value or as text; of a sequence its elements as text. */
    public static byte[] bytes(@Nullable Section body) {
        Object value = value(body);
        if (value instanceof Binary binary) {
            int from = binary.getArrayOffset();
            return Arrays.copyOfRange(binary.getArray(), from, from + binary.getLength());
        }
        return value == null ? new byte[0] : String.valueOf(value).getBytes(StandardCharsets.UTF_8);
    }

    private static @Nullable Object value(@Nullable Section body) {
        if (body instanceof Data data) {
            return data.getValue();
        }
        if (body instanceof AmqpValue amqp) {
            return amqp.getValue();
        }
        return body instanceof AmqpSequence sequence ? sequence.getValue() : null;
    }
}
