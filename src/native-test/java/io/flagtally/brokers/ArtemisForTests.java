package io.flagtally.brokers;

import io.flagtally.testing.ArtemisServerForTests;
import io.vertx.amqp.AmqpClient;
import io.vertx.amqp.AmqpClientOptions;
import io.vertx.amqp.AmqpConnection;
import io.vertx.amqp.AmqpMessage;
import io.vertx.amqp.AmqpReceiver;
import io.vertx.amqp.AmqpReceiverOptions;
import io.vertx.amqp.AmqpSender;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Apache Artemis over AMQP 1.0, with an address that gives every message to a queue for each group of the contract. */
final class ArtemisForTests implements BrokerForTests {

    private static final long PATIENCE_SECONDS = 60;

    /** As the service has it by default. */
    private static final int PREFETCH = 100;

    private final ArtemisServerForTests server = new ArtemisServerForTests();
    private final Vertx vertx = Vertx.vertx();

    /** Work on a connection. */
    private interface Work<T> {
        T on(AmqpConnection connection) throws InterruptedException;
    }

    @Override
    public String name() {
        return "Apache Artemis " + ArtemisServerForTests.VERSION + " over AMQP 1.0";
    }

    @Override
    public String profile() {
        return "amqp";
    }

    @Override
    public int port() {
        return server.port();
    }

    @Override
    public void start(int reachedAt) {
        server.start(Map.of(EVENTS, List.of(GROUP, SECOND_GROUP), DEAD_LETTERS, List.of(DEAD_LETTERS)));
    }

    @Override
    public void stop() {
        server.stop();
    }

    @Override
    public void kill() {
        server.kill();
    }

    @Override
    public void restart() {
        server.restart();
    }

    @Override
    public Map<String, String> settings(int port) {
        return Map.of(
                "flagtally.broker.amqp.addresses",
                "127.0.0.1:" + port,
                "flagtally.broker.amqp.username",
                ArtemisServerForTests.USER,
                "flagtally.broker.amqp.password",
                ArtemisServerForTests.PASSWORD,
                "flagtally.broker.subscribe-to",
                EVENTS + "::" + GROUP);
    }

    @Override
    public void publish(Raw message, int times) {
        AmqpMessage sent = AmqpMessage.create()
                .durable(true)
                .contentType("application/octet-stream")
                .withBufferAsBody(Buffer.buffer(message.payload()))
                .applicationProperties(new JsonObject(new HashMap<>(message.headers())))
                .build();
        var unused = onConnection(connection -> {
            AmqpSender sender = await(connection.createSender(EVENTS));
            List<Future<Void>> confirmed = new ArrayList<>();
            for (int i = 0; i < times; i++) {
                confirmed.add(sender.sendWithAck(sent));
            }
            return await(Future.all(confirmed));
        });
    }

    @Override
    public long backlog() {
        return onConnection(connection -> asked(connection, GROUP, "messageCount"));
    }

    @Override
    public long held(BrokeredService service) {
        return onConnection(connection -> asked(connection, GROUP, "deliveringCount"));
    }

    /** A quarter more than are worked on may lie ready. */
    @Override
    public int heldMax(int inPipeline) {
        return PREFETCH + PREFETCH / 4;
    }

    @Override
    public List<Raw> read(String place, String group) {
        String queue = place.equals(EVENTS) ? group : place;
        return onConnection(connection -> {
            long waiting = asked(connection, queue, "messageCount");
            List<Raw> read = new ArrayList<>();
            if (waiting > 0) {
                BlockingQueue<AmqpMessage> arrived = new LinkedBlockingQueue<>();
                AmqpReceiver receiver = await(connection.createReceiver(place + "::" + queue, acknowledgedByHand()));
                receiver.handler(arrived::add);
                while (read.size() < waiting) {
                    AmqpMessage message = arrived.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
                    if (message == null) {
                        throw new IllegalStateException(
                                queue + " holds back messages: " + read.size() + " of " + waiting);
                    }
                    read.add(raw(message));
                    AmqpMessage unused = message.accepted();
                }
                var unused = await(receiver.close());
            }
            return read;
        });
    }

    /**
     * Not always: when a connection is lost, Artemis closes its session as failed and, on another thread, as in order; if the
     * second comes first, it takes back that it counted the delivery.
     */
    @Override
    public boolean tellsRedelivery() {
        return false;
    }

    @Override
    public void close() {
        server.close();
        var unused = await(vertx.close());
    }

    private static AmqpReceiverOptions acknowledgedByHand() {
        return new AmqpReceiverOptions().setAutoAcknowledgement(false);
    }

    /** Asks the broker over its address of management. */
    private long asked(AmqpConnection connection, String queue, String attribute) throws InterruptedException {
        BlockingQueue<AmqpMessage> answers = new LinkedBlockingQueue<>();
        AmqpReceiver receiver = await(connection.createDynamicReceiver());
        receiver.handler(answers::add);
        AmqpSender sender = await(connection.createSender("activemq.management"));
        var unused = await(sender.sendWithAck(AmqpMessage.create()
                .replyTo(receiver.address())
                .applicationProperties(new JsonObject()
                        .put("_AMQ_ResourceName", "queue." + queue)
                        .put("_AMQ_Attribute", attribute))
                .withBody("")
                .build()));
        AmqpMessage answer = answers.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
        if (answer == null) {
            throw new IllegalStateException("Artemis does not answer the " + attribute + " of " + queue);
        }
        return new JsonArray(answer.bodyAsString()).getLong(0);
    }

    private <T> T onConnection(Work<T> work) {
        AmqpClient client = AmqpClient.create(
                vertx,
                new AmqpClientOptions()
                        .setHost("127.0.0.1")
                        .setPort(server.port())
                        .setUsername(ArtemisServerForTests.USER)
                        .setPassword(ArtemisServerForTests.PASSWORD));
        try {
            return work.on(await(client.connect()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } finally {
            var unused = await(client.close());
        }
    }

    private static <T> T await(Future<T> future) {
        try {
            return future.toCompletionStage().toCompletableFuture().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private static Raw raw(AmqpMessage message) {
        Map<String, String> headers = new HashMap<>();
        JsonObject properties = message.applicationProperties();
        if (properties != null) {
            properties.forEach(each -> headers.put(each.getKey(), String.valueOf(each.getValue())));
        }
        return new Raw(message.bodyAsBinary().getBytes(), headers);
    }
}
