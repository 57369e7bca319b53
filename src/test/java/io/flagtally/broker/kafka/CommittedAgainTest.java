package io.flagtally.broker.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.smallrye.mutiny.Uni;
import io.smallrye.reactive.messaging.kafka.KafkaConsumer;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class CommittedAgainTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final TopicPartition OURS = new TopicPartition("events", 0);
    private static final TopicPartition TAKEN = new TopicPartition("events", 1);
    private static final Map<TopicPartition, OffsetAndMetadata> BOTH =
            Map.of(OURS, new OffsetAndMetadata(7), TAKEN, new OffsetAndMetadata(9));

    private final Deque<Runnable> beforeCommits = new ArrayDeque<>();
    private final Map<TopicPartition, OffsetAndMetadata> committed = new HashMap<>();
    private int commits;
    private final KafkaConsumer<?, ?> consumer = consumer();

    @Test
    void commit_refusedWhileTheGroupIsRebalanced_isMadeAgainForWhatIsStillOurs() {
        failNext(new RebalanceInProgressException());
        failNext(new TimeoutException());

        consumer.commit(BOTH).await().atMost(PATIENCE);

        assertEquals(Map.of(OURS, new OffsetAndMetadata(7)), committed);
        assertEquals(3, commits);
    }

    @Test
    void commit_thatALaterOneOvertook_doesNotGoBack() {
        beforeCommits.add(() -> {
            committed.put(OURS, new OffsetAndMetadata(20));
            throw new RebalanceInProgressException();
        });

        consumer.commit(BOTH).await().atMost(PATIENCE);

        assertEquals(Map.of(OURS, new OffsetAndMetadata(20)), committed);
    }

    @Test
    void commit_refusedForGood_fails() {
        failNext(new CommitFailedException());

        assertThrows(
                CommitFailedException.class, () -> consumer.commit(BOTH).await().atMost(PATIENCE));
        assertEquals(1, commits);
    }

    @Test
    void otherMethods_areThoseOfTheConsumer() {
        assertEquals(Set.of(OURS), consumer.getAssignments().await().atMost(PATIENCE));
        assertThrows(UnsupportedOperationException.class, consumer::unwrap);
    }

    private void failNext(RuntimeException failure) {
        beforeCommits.add(() -> {
            throw failure;
        });
    }

    @SuppressWarnings("unchecked")
    private KafkaConsumer<?, ?> consumer() {
        Consumer<?, ?> polling = proxy(Consumer.class, (method, argument) -> switch (method) {
            case "assignment" -> Set.of(OURS);
            case "committed" -> committedOf((Collection<TopicPartition>) argument);
            case "commitSync" -> commit((Map<TopicPartition, OffsetAndMetadata>) argument);
            default -> throw new UnsupportedOperationException(method);
        });
        return CommittedAgain.committingAgain(proxy(KafkaConsumer.class, (method, argument) -> switch (method) {
            case "commit" ->
                Uni.createFrom().voidItem().invoke(() -> commit((Map<TopicPartition, OffsetAndMetadata>) argument));
            case "getAssignments" -> Uni.createFrom().item(Set.of(OURS));
            case "runOnPollingThread" ->
                Uni.createFrom()
                        .voidItem()
                        .invoke(() -> ((java.util.function.Consumer<Consumer<?, ?>>) argument).accept(polling));
            default -> throw new UnsupportedOperationException(method);
        }));
    }

    private interface Answer {
        @Nullable
        Object to(String method, Object argument);
    }

    private static <T> T proxy(Class<T> type, Answer answer) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(),
                new Class<?>[] {type},
                (proxy, method, arguments) -> answer.to(method.getName(), arguments == null ? "" : arguments[0])));
    }

    /** As Kafka does, for each partition that was asked for. */
    private Map<TopicPartition, OffsetAndMetadata> committedOf(Collection<TopicPartition> partitions) {
        Map<TopicPartition, OffsetAndMetadata> found = new HashMap<>();
        partitions.forEach(each -> found.put(each, committed.get(each)));
        return found;
    }

    private @Nullable Object commit(Map<TopicPartition, OffsetAndMetadata> offsets) {
        commits++;
        Runnable before = beforeCommits.poll();
        if (before != null) {
            before.run();
        }
        committed.putAll(offsets);
        return null;
    }
}
