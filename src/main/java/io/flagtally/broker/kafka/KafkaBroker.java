package io.flagtally.broker.kafka;

import io.flagtally.broker.BrokerCheck;
import io.flagtally.broker.BrokerPlace;
import io.flagtally.broker.BrokerStartException;
import io.flagtally.platform.BrokerState;
import io.flagtally.platform.config.BrokerConfig;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.eclipse.microprofile.config.Config;

/** What Kafka says of itself: whether it is there, whether it has our topics, and how far our group lags behind. */
@Singleton
class KafkaBroker implements BrokerCheck, BrokerState {

    static final String CONNECTOR = "smallrye-kafka";

    private static final String SERVERS = "kafka.bootstrap.servers";
    private static final String PUBLISH_TO = "flagtally.broker.publish-to";
    private static final String SUBSCRIBE_TO = "flagtally.broker.subscribe-to";

    /** Set, if the mirror is another Kafka; that one is not looked at. */
    private static final String SERVERS_OF_MIRROR = "mp.messaging.outgoing.mirror-out.bootstrap.servers";

    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final KafkaAdmin admin;
    private final BrokerConfig broker;
    private final Config config;

    @Inject
    KafkaBroker(KafkaAdmin admin, BrokerConfig broker, Config config) {
        this.admin = admin;
        this.broker = broker;
        this.config = config;
    }

    @Override
    public String connector() {
        return CONNECTOR;
    }

    @Override
    public String name() {
        return "Kafka";
    }

    @Override
    public Optional<String> check(BrokerPlace place) {
        Map<String, String> keyOfTopic = keysOfTopics(place);
        if (keyOfTopic.isEmpty()) {
            return Optional.empty();
        }
        if (servers().isEmpty()) {
            throw new BrokerStartException("The profile kafka needs a Kafka; set " + SERVERS + " to its host:port.");
        }
        Map<String, KafkaFuture<TopicDescription>> looks =
                client().describeTopics(keyOfTopic.keySet()).topicNameValues();
        for (Map.Entry<String, KafkaFuture<TopicDescription>> look : looks.entrySet()) {
            String topic = look.getKey();
            String key = keyOfTopic.getOrDefault(topic, SUBSCRIBE_TO);
            try {
                var unused = KafkaAdmin.get(look.getValue(), PATIENCE);
            } catch (UnknownTopicOrPartitionException e) {
                throw new BrokerStartException(absent(topic, key), e);
            } catch (AuthenticationException e) {
                throw new BrokerStartException(
                        "Kafka at %s refuses the credentials (%s); set kafka.sasl.jaas.config, or kafka.ssl.* for certificates."
                                .formatted(servers(), e.getMessage()),
                        e);
            } catch (AuthorizationException e) {
                throw new BrokerStartException(
                        "Kafka at %s does not let this user see the topic %s of %s; grant it, or set other credentials in kafka.sasl.jaas.config."
                                .formatted(servers(), topic, key),
                        e);
            } catch (KafkaException e) {
                return Optional.of(away(e));
            }
        }
        return place.consumerGroup().flatMap(this::checkGroups);
    }

    /** Looks whether this user may use the group, and the one beside it that keeps the marks. */
    private Optional<String> checkGroups(String group) {
        Map<String, KafkaFuture<?>> looks = new LinkedHashMap<>();
        for (String each : List.of(group, DeliveredMarks.groupOf(group))) {
            looks.put(each, client().listConsumerGroupOffsets(each).partitionsToOffsetAndMetadata());
        }
        for (Map.Entry<String, KafkaFuture<?>> look : looks.entrySet()) {
            try {
                Object unused = KafkaAdmin.get(look.getValue(), PATIENCE);
            } catch (AuthorizationException e) {
                throw new BrokerStartException(
                        "Kafka at %s does not let this user use the group %s, and it needs both %s and %s; grant them (Read), or set flagtally.broker.consumer-group to another."
                                .formatted(servers(), look.getKey(), group, DeliveredMarks.groupOf(group)),
                        e);
            } catch (KafkaException e) {
                return Optional.of(away(e));
            }
        }
        return Optional.empty();
    }

    @Override
    public Optional<String> cannotPublish() {
        return fault(broker.publishTo(), PUBLISH_TO);
    }

    @Override
    public Optional<String> cannotConsume() {
        return fault(broker.subscribeTo(), SUBSCRIBE_TO);
    }

    private Optional<String> fault(String topic, String key) {
        try {
            var unused = describe(topic);
            return Optional.empty();
        } catch (UnknownTopicOrPartitionException e) {
            return Optional.of(absent(topic, key));
        } catch (KafkaException e) {
            return Optional.of(away(e));
        }
    }

    @Override
    public OptionalLong lag() {
        try {
            Map<TopicPartition, OffsetAndMetadata> committed = KafkaAdmin.get(
                    client().listConsumerGroupOffsets(broker.consumerGroup()).partitionsToOffsetAndMetadata(),
                    PATIENCE);
            List<TopicPartition> partitions = partitions(broker.subscribeTo());
            Map<TopicPartition, Long> starts = offsets(partitions, OffsetSpec.earliest());
            long waiting = 0;
            for (Map.Entry<TopicPartition, Long> end :
                    offsets(partitions, OffsetSpec.latest()).entrySet()) {
                OffsetAndMetadata done = committed.get(end.getKey());
                long from = Math.max(done == null ? 0 : done.offset(), starts.getOrDefault(end.getKey(), 0L));
                waiting += end.getValue() - from;
            }
            return OptionalLong.of(waiting);
        } catch (KafkaException e) {
            return OptionalLong.empty();
        }
    }

    private Map<String, String> keysOfTopics(BrokerPlace place) {
        Map<String, String> keys = new HashMap<>();
        place.publishTo().ifPresent(topic -> keys.put(topic, PUBLISH_TO));
        place.subscribeTo().ifPresent(topic -> keys.put(topic, SUBSCRIBE_TO));
        place.deadLetterTo().ifPresent(topic -> keys.put(topic, "flagtally.broker.dead-letter-to"));
        boolean elsewhere =
                config.getOptionalValue(SERVERS_OF_MIRROR, String.class).isPresent();
        if (!elsewhere) {
            place.mirrorTo().ifPresent(topic -> keys.putIfAbsent(topic, BrokerPlace.MIRROR_TO));
        }
        return keys;
    }

    private TopicDescription describe(String topic) {
        return KafkaAdmin.get(client().describeTopics(List.of(topic)).allTopicNames(), PATIENCE)
                .values()
                .iterator()
                .next();
    }

    private List<TopicPartition> partitions(String topic) {
        return describe(topic).partitions().stream()
                .map(partition -> new TopicPartition(topic, partition.partition()))
                .toList();
    }

    private Map<TopicPartition, Long> offsets(List<TopicPartition> partitions, OffsetSpec which) {
        Map<TopicPartition, OffsetSpec> asked =
                partitions.stream().collect(Collectors.toMap(each -> each, each -> which));
        Map<TopicPartition, ListOffsetsResultInfo> answer =
                KafkaAdmin.get(client().listOffsets(asked).all(), PATIENCE);
        return answer.entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey, each -> each.getValue().offset()));
    }

    /** @throws BrokerStartException if no connection can be made from what is configured */
    private Admin client() {
        try {
            return admin.client();
        } catch (KafkaException e) {
            Throwable cause = Stream.iterate((Throwable) e, Throwable::getCause)
                    .takeWhile(each -> each != null)
                    .reduce((first, second) -> second)
                    .orElse(e);
            throw new BrokerStartException(
                    "No connection to Kafka can be made (%s); set %s, now %s, and what else stands under kafka."
                            .formatted(cause.getMessage(), SERVERS, servers()),
                    e);
        }
    }

    private String absent(String topic, String key) {
        return "Kafka at %s has no topic %s; create it, or set %s to a topic that exists."
                .formatted(servers(), topic, key);
    }

    private String away(KafkaException e) {
        return "Kafka at %s (%s) does not answer: %s".formatted(servers(), SERVERS, e.getMessage());
    }

    private String servers() {
        return config.getOptionalValue(SERVERS, String.class).orElse("");
    }
}
