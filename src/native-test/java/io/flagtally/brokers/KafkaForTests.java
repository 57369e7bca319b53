package io.flagtally.brokers;

import io.flagtally.testing.KafkaServerForTests;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
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
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;

/** Apache Kafka with the two topics of the contract. */
final class KafkaForTests implements BrokerForTests {

    private static final int PARTITIONS = 4;

    /** As the profile has it. */
    private static final int POLL_MAX = 50;

    private static final int POLLS_WAITING = 2;

    /** The least that Kafka allows by itself: so long it waits for a consumer that was killed. */
    private static final String SESSION_TIMEOUT_MILLIS = "6000";

    private static final long PATIENCE_SECONDS = 60;
    private static final Duration QUIET = Duration.ofMillis(500);

    /** Its clients tell all their settings each time, and every failed connection while the broker is away. */
    private static final Logger CLIENTS = Logger.getLogger("org.apache.kafka");

    static {
        CLIENTS.setLevel(Level.SEVERE);
    }

    private final KafkaServerForTests server;
    private @Nullable Admin admin;
    private @Nullable KafkaProducer<String, byte[]> producer;

    /** @param jvmOptions more of them for Kafka's own process */
    KafkaForTests(String... jvmOptions) {
        server = new KafkaServerForTests(jvmOptions);
    }

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
        Void unused = get(admin().createTopics(
                        List.of(new NewTopic(EVENTS, PARTITIONS, (short) 1), new NewTopic(DEAD_LETTERS, 1, (short) 1)))
                .all());
    }

    @Override
    public void stop() {
        forget();
        server.stop();
    }

    @Override
    public void kill() {
        forget();
        server.kill();
    }

    @Override
    public void restart() {
        server.restart();
    }

    @Override
    public Map<String, String> settings(int port) {
        return Map.of(
                "kafka.bootstrap.servers",
                "127.0.0.1:" + port,
                "mp.messaging.incoming.events.session.timeout.ms",
                SESSION_TIMEOUT_MILLIS);
    }

    @Override
    public void publish(Raw message, int times) {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (int i = 0; i < times; i++) {
            ProducerRecord<String, byte[]> record = new ProducerRecord<>(EVENTS, message.payload());
            message.headers()
                    .forEach((name, value) -> record.headers().add(name, value.getBytes(StandardCharsets.UTF_8)));
            sent.add(producer().send(record));
        }
        producer().flush();
        sent.forEach(each -> {
            RecordMetadata unused = get(each);
        });
    }

    @Override
    public long backlog() {
        Map<TopicPartition, OffsetSpec> latest = new HashMap<>();
        for (int partition = 0; partition < PARTITIONS; partition++) {
            latest.put(new TopicPartition(EVENTS, partition), OffsetSpec.latest());
        }
        Map<TopicPartition, OffsetAndMetadata> committed = committed();
        return get(admin().listOffsets(latest).all()).entrySet().stream()
                .mapToLong(end -> {
                    OffsetAndMetadata done = committed.get(end.getKey());
                    return end.getValue().offset() - (done == null ? 0 : done.offset());
                })
                .sum();
    }

    /** What a consumer took and has not committed, Kafka does not know; the client library of the service does. */
    @Override
    public long held(BrokeredService service) {
        return Math.round(service.metric("kafka_consumer_fetch_manager_records_consumed_total"))
                - committed().values().stream()
                        .mapToLong(OffsetAndMetadata::offset)
                        .sum();
    }

    /** The connector asks for no more while two polls wait, and a third one may be on its way. */
    @Override
    public int heldMax(int inPipeline) {
        return inPipeline + (POLLS_WAITING + 1) * POLL_MAX;
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
    public void close() {
        forget();
        server.close();
    }

    private Map<TopicPartition, OffsetAndMetadata> committed() {
        return get(admin().listConsumerGroupOffsets(GROUP).partitionsToOffsetAndMetadata());
    }

    private synchronized Admin admin() {
        if (admin == null) {
            admin = Admin.create(client());
        }
        return admin;
    }

    private synchronized KafkaProducer<String, byte[]> producer() {
        if (producer == null) {
            producer = new KafkaProducer<>(client(), new StringSerializer(), new ByteArraySerializer());
        }
        return producer;
    }

    /** Closes the connections, so that none tries to reach a server that is stopped. */
    private synchronized void forget() {
        if (admin != null) {
            admin.close(Duration.ZERO);
            admin = null;
        }
        if (producer != null) {
            producer.close(Duration.ZERO);
            producer = null;
        }
    }

    private static <T> T get(Future<T> answer) {
        try {
            return answer.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new IllegalStateException(e);
        }
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
