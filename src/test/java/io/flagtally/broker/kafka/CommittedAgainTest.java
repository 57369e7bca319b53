package io.flagtally.broker.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.smallrye.mutiny.Uni;
import io.smallrye.reactive.messaging.kafka.KafkaConsumer;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.Test;

class CommittedAgainTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final TopicPartition OURS = new TopicPartition("events", 0);
    private static final TopicPartition TAKEN = new TopicPartition("events", 1);
    private static final Map<TopicPartition, OffsetAndMetadata> BOTH =
            Map.of(OURS, new OffsetAndMetadata(7), TAKEN, new OffsetAndMetadata(9));

    private final Deque<RuntimeException> failures = new ArrayDeque<>();
    private final List<Set<TopicPartition>> committed = new ArrayList<>();
    private final KafkaConsumer<?, ?> consumer = consumer();

    @Test
    void commit_refusedWhileTheGroupIsRebalanced_isMadeAgainForWhatIsStillOurs() {
        failures.add(new RebalanceInProgressException());
        failures.add(new TimeoutException());

        consumer.commit(BOTH).await().atMost(PATIENCE);

        assertEquals(List.of(BOTH.keySet(), Set.of(OURS), Set.of(OURS)), committed);
    }

    @Test
    void commit_refusedForGood_fails() {
        failures.add(new CommitFailedException());

        assertThrows(
                CommitFailedException.class, () -> consumer.commit(BOTH).await().atMost(PATIENCE));
        assertEquals(1, committed.size());
    }

    @Test
    void otherMethods_areThoseOfTheConsumer() {
        assertEquals(Set.of(OURS), consumer.getAssignments().await().atMost(PATIENCE));
        assertThrows(UnsupportedOperationException.class, consumer::unwrap);
    }

    private KafkaConsumer<?, ?> consumer() {
        KafkaConsumer<?, ?> kafka = (KafkaConsumer<?, ?>) Proxy.newProxyInstance(
                KafkaConsumer.class.getClassLoader(),
                new Class<?>[] {KafkaConsumer.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "commit" -> Uni.createFrom().voidItem().invoke(() -> commit(arguments[0]));
                    case "getAssignments" -> Uni.createFrom().item(Set.of(OURS));
                    default -> throw new UnsupportedOperationException(method.getName());
                });
        return CommittedAgain.committingAgain(kafka);
    }

    @SuppressWarnings("unchecked")
    private void commit(Object offsets) {
        committed.add(Set.copyOf(((Map<TopicPartition, ?>) offsets).keySet()));
        RuntimeException failure = failures.poll();
        if (failure != null) {
            throw failure;
        }
    }
}
