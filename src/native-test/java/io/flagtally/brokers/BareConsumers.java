package io.flagtally.brokers;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import io.flagtally.testing.ArtemisServerForTests;
import io.vertx.amqp.AmqpClient;
import io.vertx.amqp.AmqpClientOptions;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * A broker's own client that takes and acknowledges all messages of {@link BrokerForTests#SECOND_GROUP} and does nothing
 * with them: what a service could reach that costs nothing.
 */
final class BareConsumers {

    private static final long PATIENCE_MINUTES = 5;
    private static final int REDIS_PARTITIONS = 4;
    private static final int REDIS_COUNT = 50;
    private static final int PREFETCH = 100;

    /** When the first message came, and when the last. */
    private static final class Watch {
        private final CountDownLatch left;
        private volatile long first;

        Watch(int messages) {
            left = new CountDownLatch(messages);
        }

        void arrived() {
            if (first == 0) {
                first = System.nanoTime();
            }
            left.countDown();
        }

        double seconds() throws InterruptedException {
            if (!left.await(PATIENCE_MINUTES, TimeUnit.MINUTES)) {
                throw new IllegalStateException(left.getCount() + " messages did not come");
            }
            return (System.nanoTime() - first) / 1e9;
        }
    }

    private BareConsumers() {}

    /** Seconds from the first message to the last. */
    static double seconds(BrokerForTests broker, int messages) throws Exception {
        return switch (broker.profile()) {
            case "kafka" -> kafka(broker.port(), messages);
            case "rabbitmq" -> rabbit(broker.port(), messages);
            case "amqp" -> amqp(broker.port(), messages);
            case "redis" -> redis(broker.port(), messages);
            case "aws" -> sqs((AwsForTests) broker, messages);
            default -> throw new IllegalArgumentException(broker.profile());
        };
    }

    private static double kafka(int port, int messages) throws InterruptedException {
        Watch watch = new Watch(messages);
        Map<String, Object> settings = Map.of(
                "bootstrap.servers",
                "127.0.0.1:" + port,
                "group.id",
                BrokerForTests.SECOND_GROUP,
                "auto.offset.reset",
                "earliest");
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of(BrokerForTests.EVENTS));
            for (long read = 0; read < messages; read = messages - watch.left.getCount()) {
                consumer.poll(Duration.ofSeconds(1)).forEach(each -> watch.arrived());
            }
            return watch.seconds();
        }
    }

    private static double rabbit(int port, int messages) throws Exception {
        Watch watch = new Watch(messages);
        ConnectionFactory factory = new ConnectionFactory();
        factory.setHost("127.0.0.1");
        factory.setPort(port);
        try (Connection connection = factory.newConnection();
                Channel channel = connection.createChannel()) {
            channel.basicQos(PREFETCH);
            String unused = channel.basicConsume(
                    BrokerForTests.EVENTS + "." + BrokerForTests.SECOND_GROUP,
                    false,
                    (tag, message) -> {
                        channel.basicAck(message.getEnvelope().getDeliveryTag(), false);
                        watch.arrived();
                    },
                    tag -> {});
            return watch.seconds();
        }
    }

    private static double amqp(int port, int messages) throws InterruptedException {
        Watch watch = new Watch(messages);
        Vertx vertx = Vertx.vertx();
        AmqpClient client = AmqpClient.create(
                vertx,
                new AmqpClientOptions()
                        .setHost("127.0.0.1")
                        .setPort(port)
                        .setUsername(ArtemisServerForTests.USER)
                        .setPassword(ArtemisServerForTests.PASSWORD));
        try {
            var unused = client.createReceiver(BrokerForTests.EVENTS + "::" + BrokerForTests.SECOND_GROUP)
                    .onSuccess(receiver -> receiver.handler(message -> watch.arrived()));
            return watch.seconds();
        } finally {
            var unused = vertx.close();
        }
    }

    private static double sqs(AwsForTests broker, int messages) throws InterruptedException {
        Watch watch = new Watch(messages);
        while (watch.left.getCount() > 0) {
            broker.take(BrokerForTests.SECOND_GROUP).forEach(message -> watch.arrived());
        }
        return watch.seconds();
    }

    private static double redis(int port, int messages) throws Exception {
        Watch watch = new Watch(messages);
        Vertx vertx = Vertx.vertx();
        Redis client = Redis.createClient(vertx, "redis://127.0.0.1:" + port);
        try {
            for (int turn = 0; watch.left.getCount() > 0; turn++) {
                String stream = BrokerForTests.EVENTS + ":{" + turn % REDIS_PARTITIONS + "}";
                Response read = ask(
                        client,
                        Request.cmd(Command.XREADGROUP)
                                .arg("GROUP")
                                .arg(BrokerForTests.SECOND_GROUP)
                                .arg("bare")
                                .arg("COUNT")
                                .arg(REDIS_COUNT)
                                .arg("STREAMS")
                                .arg(stream)
                                .arg(">"));
                if (read != null) {
                    Request done = Request.cmd(Command.XACK).arg(stream).arg(BrokerForTests.SECOND_GROUP);
                    for (Response entry : read.get(stream)) {
                        done.arg(entry.get(0).toString());
                        watch.arrived();
                    }
                    Response unused = ask(client, done);
                }
            }
            return watch.seconds();
        } finally {
            var unused = vertx.close();
        }
    }

    private static Response ask(Redis client, Request request) throws Exception {
        return client.send(request).toCompletionStage().toCompletableFuture().get(1, TimeUnit.MINUTES);
    }
}
