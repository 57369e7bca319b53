package io.flagtally.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.pipeline.PatientRetry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow.Subscriber;
import java.util.concurrent.Flow.Subscription;
import java.util.stream.IntStream;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class LeasedSourceTest {

    private static final Duration MOMENT = Duration.ofSeconds(3);
    private static final Duration A_DAY = Duration.ofDays(1);

    private final SteppedTimers time = new SteppedTimers();
    private final LendingQueue queue = new LendingQueue(time);
    private final LeasedSource source = new LeasedSource(
            queue,
            new PatientRetry(time, Duration.ofSeconds(1), Duration.ofSeconds(10), () -> 0),
            time,
            task -> time.after(Duration.ZERO, task));
    private final Consumer consumer = new Consumer();

    @Test
    void receive_consumerWantsOne_leavesTheRestInTheQueue() {
        queue.add(bodies(100));
        subscribe(1);

        time.pass(A_DAY);

        assertEquals(1, consumer.messages.size());
        assertTrue(queue.lent() <= 2 * LendingQueue.BATCH_MAX, "lent: " + queue.lent());
        assertTrue(queue.waiting() >= 80);
    }

    @Test
    void message_consumerWaitsForADay_staysOurs() {
        queue.add(bodies(25));
        subscribe(25);

        time.pass(A_DAY);

        assertEquals(25, consumer.messages.size());
        assertEquals(1, queue.deliveries("m0"));
        assertEquals(25, queue.lent());
    }

    @Test
    void message_leasesAreNotKept_comesAgain() {
        queue.extending = false;
        queue.add(bodies(1));
        subscribe(100);

        time.pass(LendingQueue.LEASE.multipliedBy(3));

        assertTrue(queue.deliveries("m0") > 1);
        assertTrue(consumer.leased(1).redelivered());
        assertFalse(consumer.leased(0).redelivered());
    }

    @Test
    void acknowledge_manyAtOnce_goOutInBatchesAndOnlyThen() {
        queue.add(bodies(30));
        subscribe(100);
        time.pass(MOMENT.multipliedBy(4));
        assertEquals(30, queue.lent());

        List<CompletableFuture<Void>> done = consumer.messages.stream()
                .map(message -> message.ack().toCompletableFuture())
                .toList();
        time.pass(MOMENT);

        assertTrue(done.stream().allMatch(CompletableFuture::isDone));
        assertEquals(0, queue.lent());
        assertTrue(queue.log.size() < 30, queue.log::toString);
    }

    @Test
    void acknowledge_fails_saysSoAndTheMessageComesAgain() {
        queue.add(bodies(1));
        subscribe(100);
        time.pass(MOMENT);
        queue.forgets = false;

        CompletableFuture<Void> done = consumer.messages.get(0).ack().toCompletableFuture();
        time.pass(LendingQueue.LEASE.multipliedBy(2));

        assertTrue(done.isCompletedExceptionally());
        assertEquals(2, queue.deliveries("m0"));
    }

    @Test
    void nack_givesBackAtOnce() {
        queue.add(bodies(1));
        subscribe(100);
        time.pass(MOMENT);

        var unused = consumer.messages.get(0).nack(new IllegalStateException("no"));
        time.pass(MOMENT);

        assertEquals(2, queue.deliveries("m0"));
    }

    @Test
    void queue_awayForADay_isWaitedForWithoutEnd() {
        queue.away = true;
        queue.add(bodies(5));
        subscribe(100);
        time.pass(A_DAY);
        assertEquals(0, consumer.messages.size());

        queue.away = false;
        time.pass(Duration.ofSeconds(15));

        assertEquals(5, consumer.messages.size());
    }

    @Test
    void close_givesBackWhatNobodySaw_letsAcknowledgementsOut_thenCloses() {
        queue.add(bodies(10));
        subscribe(4);
        time.pass(MOMENT);
        consumer.messages.forEach(message -> {
            var unused = message.ack();
        });

        CompletableFuture<Void> closed = source.close().toCompletableFuture();
        time.pass(A_DAY);

        assertTrue(closed.isDone());
        assertEquals(4, consumer.messages.size());
        assertEquals(6, queue.waiting());
        assertEquals("close", queue.log.get(queue.log.size() - 1));
        assertTrue(queue.log.contains("give back 6"), queue.log::toString);
        assertEquals(0, queue.lent());
    }

    @Test
    void close_theQueueTellsTheBroker_isWaitedFor() {
        queue.told = new CompletableFuture<>();
        subscribe(1);

        CompletableFuture<Void> closed = source.close().toCompletableFuture();
        time.pass(A_DAY);
        assertTrue(queue.closed);
        assertFalse(closed.isDone(), "what was given back has not reached the broker");
        boolean unused = queue.told.complete(null);

        assertTrue(closed.isDone());
    }

    @Test
    void close_whileReceiving_givesBackWhatComes() {
        subscribe(4);
        queue.add(bodies(3));
        time.pass(Duration.ofMillis(500));

        var unused = source.close();
        time.pass(A_DAY);

        assertEquals(0, consumer.messages.size());
        assertEquals(0, queue.lent());
        assertEquals(3, queue.waiting());
    }

    private void subscribe(long demand) {
        source.subscribe(consumer);
        time.pass(Duration.ZERO);
        consumer.request(demand);
    }

    private static String[] bodies(int count) {
        return IntStream.range(0, count).mapToObj(i -> "m" + i).toArray(String[]::new);
    }

    private static final class Consumer implements Subscriber<Message<byte[]>> {
        private final List<Message<byte[]>> messages = new ArrayList<>();
        private @Nullable Subscription subscription;

        void request(long n) {
            if (subscription == null) {
                throw new IllegalStateException("not subscribed");
            }
            subscription.request(n);
        }

        LeasedMessage leased(int index) {
            return messages.get(index).getMetadata(LeasedMessage.class).orElseThrow();
        }

        @Override
        public void onSubscribe(Subscription given) {
            subscription = given;
        }

        @Override
        public void onNext(Message<byte[]> message) {
            messages.add(message);
        }

        @Override
        public void onError(Throwable failure) {
            throw new AssertionError(failure);
        }

        @Override
        public void onComplete() {
            throw new AssertionError("ended");
        }
    }
}
