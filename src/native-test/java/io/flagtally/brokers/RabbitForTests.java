package io.flagtally.brokers;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.GetResponse;
import io.flagtally.testing.RabbitServerForTests;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;

/** RabbitMQ with a queue for each group of the contract. */
final class RabbitForTests implements BrokerForTests {

    private static final long CONFIRM_PATIENCE_MILLIS = 60_000;

    /** As the service has it by default. */
    private static final int PREFETCH = 100;

    private static final Map<String, Object> QUORUM = Map.of("x-queue-type", "quorum");

    private final RabbitServerForTests server = new RabbitServerForTests();

    /** Work on a channel. */
    private interface Work<T> {
        T on(Channel channel) throws IOException, InterruptedException, TimeoutException;
    }

    @Override
    public String name() {
        return "RabbitMQ " + server.version() + " of the machine's package (quorum queues, one node)";
    }

    @Override
    public String profile() {
        return "rabbitmq";
    }

    @Override
    public int port() {
        return server.port();
    }

    @Override
    public void start(int reachedAt) {
        server.start();
        var unused = onChannel(channel -> {
            var exchange = channel.exchangeDeclare(EVENTS, "fanout", true);
            var queue = channel.queueDeclare(queue(SECOND_GROUP), true, false, false, QUORUM);
            return channel.queueBind(queue(SECOND_GROUP), EVENTS, "#");
        });
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
        return Map.of("flagtally.broker.rabbitmq.addresses", "127.0.0.1:" + port);
    }

    @Override
    public void publish(Raw message, int times) {
        BasicProperties properties = new BasicProperties.Builder()
                .deliveryMode(2)
                .headers(new HashMap<>(message.headers()))
                .build();
        var unused = onChannel(channel -> {
            var selected = channel.confirmSelect();
            for (int i = 0; i < times; i++) {
                channel.basicPublish(EVENTS, "", properties, message.payload());
            }
            channel.waitForConfirmsOrDie(CONFIRM_PATIENCE_MILLIS);
            return selected;
        });
    }

    @Override
    public long backlog() {
        return server.messages(queue(GROUP));
    }

    @Override
    public long held(BrokeredService service) {
        return server.messagesDelivered(queue(GROUP));
    }

    @Override
    public int heldMax(int inPipeline) {
        return PREFETCH;
    }

    @Override
    public List<Raw> read(String place, String group) {
        String queue = place.equals(EVENTS) ? queue(group) : place;
        return onChannel(channel -> {
            List<Raw> messages = new ArrayList<>();
            for (GetResponse got = channel.basicGet(queue, true); got != null; got = channel.basicGet(queue, true)) {
                Map<String, String> headers = new HashMap<>();
                Map<String, Object> sent = got.getProps().getHeaders();
                if (sent != null) {
                    sent.forEach((name, value) -> headers.put(name, String.valueOf(value)));
                }
                messages.add(new Raw(got.getBody(), headers));
            }
            return messages;
        });
    }

    @Override
    public boolean tellsRedelivery() {
        return true;
    }

    @Override
    public void close() {
        server.close();
    }

    private static String queue(String group) {
        return EVENTS + "." + group;
    }

    private <T> T onChannel(Work<T> work) {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setHost("127.0.0.1");
        factory.setPort(server.port());
        try (Connection connection = factory.newConnection();
                Channel channel = connection.createChannel()) {
            return work.on(channel);
        } catch (IOException | TimeoutException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
