package io.flagtally.broker;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.messaging.AmqpValue;
import org.apache.qpid.proton.amqp.messaging.Data;
import org.apache.qpid.proton.amqp.messaging.Section;
import org.jspecify.annotations.Nullable;

/** The body of an AMQP 1.0 message. */
public final class AmqpBody {

    private AmqpBody() {}

    /** The bytes, whether a client sent them as data, as a value or as text. */
    public static byte[] bytes(@Nullable Section body) {
        Object value =
                body instanceof Data data ? data.getValue() : body instanceof AmqpValue amqp ? amqp.getValue() : null;
        if (value instanceof Binary binary) {
            int from = binary.getArrayOffset();
            return Arrays.copyOfRange(binary.getArray(), from, from + binary.getLength());
        }
        return value == null ? new byte[0] : String.valueOf(value).getBytes(StandardCharsets.UTF_8);
    }
}
