package io.flagtally.broker.rabbitmq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Method;
import com.rabbitmq.client.ShutdownSignalException;
import com.rabbitmq.client.impl.LongStringHelper;
import io.flagtally.platform.config.BrokerConfig;
import io.flagtally.testing.TestConfigs;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What an answer of RabbitMQ means, for answers and versions that no server here gives. */
class RabbitServerTest {

    @Test
    void isFinal_whatWaitingCannotMend_andNothingElse() {
        for (int code : new int[] {403, 404, 406, 530}) {
            assertTrue(RabbitServer.isFinal(closed(channel(code))), "of the channel " + code);
            assertTrue(RabbitServer.isFinal(closed(connection(code))), "of the connection " + code);
        }
        // It stops, it is short of something, a queue is another's just now, a virtual host is down while it starts.
        for (int code : new int[] {320, 311, 405, 506, 541}) {
            assertFalse(RabbitServer.isFinal(closed(channel(code))), "of the channel " + code);
            assertFalse(RabbitServer.isFinal(closed(connection(code))), "of the connection " + code);
        }
        assertFalse(RabbitServer.isFinal(new IOException("Connection reset")));
    }

    @Test
    void limitsDeliveries_fromVersion4On() {
        RabbitServer server = new RabbitServer(
                TestConfigs.of(RabbitConfig.class, Map.of()), TestConfigs.of(BrokerConfig.class, Map.of()));

        Map<String, Boolean> limits =
                Map.of("3.10.8", false, "3.13.7", false, "4.0.0", true, "4.1.2", true, "10.0.1", true, "odd", false);

        limits.forEach((version, limited) -> assertEquals(
                limited, server.limitsDeliveries(Map.of("version", LongStringHelper.asLongString(version))), version));
        assertFalse(server.limitsDeliveries(Map.of()));
    }

    private static IOException closed(Method reason) {
        return new IOException(new ShutdownSignalException(true, false, reason, List.of()));
    }

    private static Method channel(int code) {
        return new AMQP.Channel.Close.Builder()
                .replyCode(code)
                .replyText("of the test")
                .build();
    }

    private static Method connection(int code) {
        return new AMQP.Connection.Close.Builder()
                .replyCode(code)
                .replyText("of the test")
                .build();
    }
}
