package io.flagtally.broker.kafka;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallrye.mutiny.Uni;
import io.smallrye.reactive.messaging.kafka.KafkaConsumer;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
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

    private final Deque<Runnable> beforeCommits = new ConcurrentLinkedDeque<>();
    private final Map<TopicPartition, OffsetAndMetadata> committed = new ConcurrentHashMap<>();
    private final AtomicInteger commits = new AtomicInteger();
    private final AtomicInteger steps = new AtomicInteger();
    private final KafkaConsumer<?, ?> consumer = consumer();

    @Test
    void commit_refusedWhileTheGroupIsRebalanced_isMadeAgainForWhatIsStillOurs() {
        failNext(new RebalanceInProgressException());
        failNext(new TimeoutException());

        consumer.commit(BOTH).await().atMost(PATIENCE);

        await().atMost(PATIENCE)
                .untilAsserted(() -> assertEquals(Map.of(OURS, new OffsetAndMetadata(7)), Map.copyOf(committed)));
        assertEquals(3, commits.get());
    }

    @Test
    void commit_thatALaterOneOvertook_doesNotGoBack() {
        beforeCommits.add(() -> {
            committed.put(OURS, new OffsetAndMetadata(20));
            throw new RebalanceInProgressException();
        });

        consumer.commit(BOTH).await().atMost(PATIENCE);

        await().atMost(PATIENCE).until(() -> steps.get() > 0);
        assertEquals(Map.of(OURS, new OffsetAndMetadata(20)), committed);
        assertEquals(1, commits.get());
    }

    /** The connector plans its next commit when this one is answered, and another one with each partition it gets. */
    @Test
    void commit_refusedAgainAndAgain_isAnsweredAtOnceAndTheNextOneJoinsIt() {
        for (int i = 0; i < 4; i++) {
            failNext(new RebalanceInProgressException());
        }

        consumer.commit(Map.of(OURS, new OffsetAndMetadata(7))).await().atMost(PATIENCE);
        consumer.commit(Map.of(OURS, new OffsetAndMetadata(8))).await().atMost(PATIENCE);

        await().atMost(PATIENCE)
                .untilAsserted(() -> assertEquals(Map.of(OURS, new OffsetAndMetadata(8)), Map.copyOf(committed)));
        assertTrue(commits.get() <= 6, "commits: " + commits);
    }

    @Test
    void commit_refusedForGood_fails() {
        failNext(new CommitFailedException());

        assertThrows(
                CommitFailedException.class, () -> consumer.commit(BOTH).await().atMost(PATIENCE));
        assertEquals(1, commits.get());
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
                        .item(polling)
                        .map((Function<Consumer<?, ?>, Object>) argument)
                        .invoke(steps::incrementAndGet);
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
        commits.incrementAndGet();
        Runnable before = beforeCommits.poll();
        if (before != null) {
            before.run();
        }
        committed.putAll(offsets);
        return null;
    }
}
