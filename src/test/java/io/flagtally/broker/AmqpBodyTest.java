package io.flagtally.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.messaging.AmqpSequence;
import org.apache.qpid.proton.amqp.messaging.AmqpValue;
import org.apache.qpid.proton.amqp.messaging.Data;
import org.apache.qpid.proton.amqp.messaging.Section;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Whatever a client sends as the body, something of it arrives: nothing goes aside empty that was not. */
class AmqpBodyTest {

    @Test
    void bytes_ofEachKindOfBody_areWhatWasSent() {
        byte[] larger = {'n', 'o', 'y', 'e', 's'};

        assertEquals("yes", text(new Data(new Binary(larger, 2, 3))));
        assertEquals("yes", text(new AmqpValue("yes")));
        assertEquals("yes", text(new AmqpValue(new Binary(larger, 2, 3))));
        assertEquals("7", text(new AmqpValue(7)));
        assertEquals("[a, 7]", text(new AmqpSequence(List.of("a", 7))));
        assertEquals("", text(new AmqpValue(null)));
        assertEquals("", text(null));
    }

    private static String text(@Nullable Section body) {
        return new String(AmqpBody.bytes(body), StandardCharsets.UTF_8);
    }
}
