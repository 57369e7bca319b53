package io.flagtally.broker.amqp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.broker.LeasedMessage;
import io.flagtally.broker.PushedQueue;
import io.flagtally.testing.ArtemisServerForTests;
import io.flagtally.testing.TestConfigs;
import io.smallrye.mutiny.Uni;
import io.vertx.amqp.AmqpConnection;
import io.vertx.amqp.AmqpMessage;
import io.vertx.amqp.AmqpReceiver;
import io.vertx.amqp.AmqpReceiverOptions;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What a link hears of a message's past, from a real Artemis. */
class AmqpDeliveriesTest {

    private static final Vertx VERTX = Vertx.vertx();
    private static final ArtemisServerForTests ARTEMIS = new ArtemisServerForTests();
    private static final byte[] PAYLOAD = {1, 2, 3};

    private static AmqpServer server;

    private static final class Arrivals implements PushedQueue.Inbox {

        private final BlockingQueue<LeasedMessage> messages = new LinkedBlockingQueue<>();

        @Override
        public void arrived(LeasedMessage message) {
            messages.add(message);
        }

        @Override
        public void lost(Throwable why) {}

        @Override
        public void rested() {}

        LeasedMessage next() throws InterruptedException {
            return soon(messages);
        }
    }

    @BeforeAll
    static void start() {
        ARTEMIS.start(Map.of());
        server = new AmqpServer(
                VERTX,
                TestConfigs.of(
                        AmqpConfig.class,
                        Map.of(
                                "flagtally.broker.amqp.addresses",
                                "127.0.0.1:" + ARTEMIS.port(),
                                "flagtally.broker.amqp.username",
                                ArtemisServerForTests.USER,
                                "flagtally.broker.amqp.password",
                                ArtemisServerForTests.PASSWORD)));
    }

    @AfterAll
    static void end() {
        ARTEMIS.close();
        VERTX.close().toCompletionStage().toCompletableFuture().join();
    }

    @Test
    void arrived_firstDelivery_isNotMarked() throws Exception {
        send("first");

        Arrivals arrivals = new Arrivals();
        PushedQueue.Link link = open("first", arrivals);

        LeasedMessage message = arrivals.next();
        assertFalse(message.redelivered());
        assertArrayEquals(PAYLOAD, message.payload());
        link.close();
    }

    @Test
    void arrived_deliveryOfAnotherConsumerFailed_isMarked() throws Exception {
        send("failed");
        failDelivery("failed");

        Arrivals arrivals = new Arrivals();
        PushedQueue.Link link = open("failed", arrivals);

        assertTrue(arrivals.next().redelivered());
        link.close();
    }

    @Test
    void giveBack_message_comesAgainAndIsNoFailedDelivery() throws Exception {
        send("given-back");
        Arrivals arrivals = new Arrivals();
        PushedQueue.Link link = open("given-back", arrivals);

        AmqpServer.await(link.giveBack(List.of(arrivals.next().lease())));

        assertFalse(arrivals.next().redelivered());
        link.close();
    }

    private static PushedQueue.Link open(String address, PushedQueue.Inbox inbox) {
        return AmqpServer.await(new AmqpDeliveries(server, address, 10).open(inbox));
    }

    private static void send(String address) {
        AmqpConnection connection = connect();
        AmqpMessage message = AmqpMessage.create()
                .durable(true)
                .withBufferAsBody(Buffer.buffer(PAYLOAD))
                .build();
        var unused = done(connection.createSender(address).compose(sender -> sender.sendWithAck(message)));
        unused = done(connection.close());
    }

    private static void failDelivery(String address) throws InterruptedException {
        AmqpConnection connection = connect();
        AmqpReceiver receiver =
                done(connection.createReceiver(address, new AmqpReceiverOptions().setAutoAcknowledgement(false)));
        BlockingQueue<AmqpMessage> arrived = new LinkedBlockingQueue<>();
        receiver.pause().fetch(1).handler(arrived::add);
        AmqpMessage unused = soon(arrived).modified(true, false);
        var closed = done(connection.close());
    }

    private static AmqpConnection connect() {
        return AmqpServer.await(server.connect(lost -> {}));
    }

    private static <T> T done(Future<T> future) {
        return AmqpServer.await(Uni.createFrom().completionStage(future.toCompletionStage()));
    }

    private static <T> T soon(BlockingQueue<T> queue) throws InterruptedException {
        T next = queue.poll(AmqpServer.PATIENCE.toSeconds(), TimeUnit.SECONDS);
        assertNotNull(next);
        return next;
    }
}
