package io.flagtally.brokers;

import io.flagtally.testing.KafkaServerForTests;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Apache Kafka with the two topics of the contract. */
final class KafkaForTests implements BrokerForTests {

    private static final int PARTITIONS = 4;
    private static final Duration QUIET = Duration.ofMillis(500);

    /** Its clients tell all their settings each time, and every failed connection while the broker is away. */
    private static final Logger CLIENTS = Logger.getLogger("org.apache.kafka");

    static {
        CLIENTS.setLevel(Level.SEVERE);
    }

    private final KafkaServerForTests server = new KafkaServerForTests();

    @Override
    public String name() {
        return "Apache Kafka " + KafkaServerForTests.VERSION + " (KRaft, one node)";
    }

    @Override
    public String profile() {
        return "kafka";
    }

    @Override
    public int port() {
        return server.port();
    }

    @Override
    public void start(int reachedAt) {
        server.start(reachedAt);
        try (Admin admin = Admin.create(client())) {
            var unused = admin.createTopics(List.of(
                            new NewTopic(EVENTS, PARTITIONS, (short) 1), new NewTopic(DEAD_LETTERS, 1, (short) 1)))
                    .all()
                    .get();
        } catch (ExecutionException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
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
        return Map.of("kafka.bootstrap.servers", "127.0.0.1:" + port);
    }

    @Override
    public void publish(Raw message, int times) {
        try (KafkaProducer<String, byte[]> producer =
                new KafkaProducer<>(client(), new StringSerializer(), new ByteArraySerializer())) {
            for (int i = 0; i < times; i++) {
                ProducerRecord<String, byte[]> record = new ProducerRecord<>(EVENTS, message.payload());
                message.headers()
                        .forEach((name, value) -> record.headers().add(name, value.getBytes(StandardCharsets.UTF_8)));
                var unused = producer.send(record);
            }
        }
    }

    @Override
    public long backlog() {
        try (Admin admin = Admin.create(client())) {
            Map<TopicPartition, OffsetAndMetadata> committed = admin.listConsumerGroupOffsets(GROUP)
                    .partitionsToOffsetAndMetadata()
                    .get();
            long waiting = 0;
            for (int partition = 0; partition < PARTITIONS; partition++) {
                TopicPartition each = new TopicPartition(EVENTS, partition);
                OffsetAndMetadata done = committed.get(each);
                waiting += admin.listOffsets(Map.of(each, OffsetSpec.latest()))
                                .partitionResult(each)
                                .get()
                                .offset()
                        - (done == null ? 0 : done.offset());
            }
            return waiting;
        } catch (ExecutionException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public List<Raw> read(String place, String group) {
        Map<String, Object> settings = client();
        settings.put("group.id", group);
        settings.put("auto.offset.reset", "earliest");
        settings.put("enable.auto.commit", false);
        List<Raw> messages = new ArrayList<>();
        try (KafkaConsumer<String, byte[]> consumer =
                new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(place).stream()
                    .map(each -> new TopicPartition(place, each.partition()))
                    .toList();
            consumer.assign(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(each -> consumer.position(each) < ends.getOrDefault(each, 0L))) {
                for (ConsumerRecord<String, byte[]> record : consumer.poll(QUIET)) {
                    messages.add(raw(record));
                }
            }
            consumer.commitSync();
        }
        return messages;
    }

    @Override
    public boolean tellsRedelivery() {
        return true;
    }

    @Override
    public boolean keepsOrderOfAKey() {
        return true;
    }

    @Override
    public void close() {
        server.close();
    }

    private Map<String, Object> client() {
        return new HashMap<>(Map.of("bootstrap.servers", server.directServers()));
    }

    private static Raw raw(ConsumerRecord<String, byte[]> record) {
        Map<String, String> headers = new HashMap<>();
        record.headers().forEach(each -> headers.put(each.key(), new String(each.value(), StandardCharsets.UTF_8)));
        return new Raw(record.value(), headers);
    }
}
