package io.flagtally.broker.rabbitmq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
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

    /** Each refusal costs a channel, and an error in the log of RabbitMQ. */
    @Test
    void makePlaces_queueOfAnOlderServer_isRefusedOnceUntilItIsGone() throws IOException {
        RabbitServer server = new RabbitServer(
                TestConfigs.of(RabbitConfig.class, Map.of()),
                TestConfigs.of(
                        BrokerConfig.class,
                        Map.of(
                                "flagtally.broker.subscribe-to",
                                "events",
                                "flagtally.broker.consumer-group",
                                "counts")));
        RabbitForTests rabbit = new RabbitForTests();
        rabbit.queues.put("events.counts", Map.of("x-queue-type", "quorum"));

        for (int look = 0; look < 5; look++) {
            server.makePlaces(rabbit.channel());
        }
        assertEquals(1, rabbit.refusals);

        rabbit.queues.clear();
        server.makePlaces(rabbit.channel());
        assertEquals(Map.of("events.counts", Map.of("x-queue-type", "quorum", "x-delivery-limit", -1)), rabbit.queues);

        rabbit.queues.put("events.counts", Map.of());
        IOException classic = assertThrows(IOException.class, () -> server.makePlaces(rabbit.channel()));
        assertTrue(RabbitServer.isFinal(classic), "it is no quorum queue");
        assertThrows(IOException.class, () -> server.makePlaces(rabbit.channel()), "and stays none");
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
