package io.flagtally.broker;

import io.flagtally.pipeline.PatientRetry;
import io.flagtally.pipeline.StoreUnavailableException;
import io.flagtally.pipeline.Timers;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow.Publisher;
import java.util.concurrent.Flow.Subscriber;
import java.util.concurrent.Flow.Subscription;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.eclipse.microprofile.reactive.messaging.Metadata;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Delivers the messages of a {@link LeasedQueue} to one subscriber.
 *
 * <p><b>Backpressure</b>: the queue is asked only while the subscriber wants a message and fewer than one batch lie
 * ready, so what is not wanted stays in the queue.
 *
 * <p><b>Leases</b> are kept until the message is acknowledged or refused, however long that takes, by asking for more
 * time three times in every lease. A lease that is lost all the same costs a redelivery, never a count.
 *
 * <p><b>A queue that is away</b> is waited for without end. <b>Threads</b>: all state belongs to the serial executor.
 */
public final class LeasedSource implements Publisher<Message<byte[]>> {

    private static final Logger LOG = Logger.getLogger(LeasedSource.class);

    private static final int EXTENSIONS_PER_LEASE = 3;

    /** Calls under way at once, of acknowledgements as of extensions. */
    private static final int CALLS_MAX = 4;

    private record Acknowledged(String lease, CompletableFuture<Void> done) {}

    private final LeasedQueue queue;
    private final PatientRetry retry;
    private final Timers timers;
    private final Executor serial;

    private final Deque<LeasedMessage> ready = new ArrayDeque<>();
    private final Set<String> held = new LinkedHashSet<>();
    private final Deque<Acknowledged> acknowledged = new ArrayDeque<>();
    private final CompletableFuture<Void> closed = new CompletableFuture<>();
    private @Nullable Subscriber<? super Message<byte[]>> subscriber;
    private long demand;
    private boolean receiving;
    private boolean extending;
    private volatile boolean closing;
    private boolean ending;
    private int acknowledging;
    private int givingBack;

    /** @param serial runs one task at a time, in order */
    public LeasedSource(LeasedQueue queue, PatientRetry retry, Timers timers, Executor serial) {
        this.queue = queue;
        this.retry = retry;
        this.timers = timers;
        this.serial = serial;
    }

    @Override
    public void subscribe(Subscriber<? super Message<byte[]>> to) {
        serial.execute(() -> {
            if (subscriber != null) {
                throw new IllegalStateException(queue.name() + " has a consumer already");
            }
            subscriber = to;
            to.onSubscribe(new Demand());
            extendLater();
        });
    }

    /**
     * Receives no more, gives back what nobody has seen, and lets acknowledgements go out. Done when they have; the queue
     * is closed then.
     */
    public CompletionStage<Void> close() {
        serial.execute(() -> {
            if (!closing) {
                closing = true;
                giveBackReady();
                closeWhenSettled();
            }
        });
        return closed;
    }

    private void request(long n) {
        demand = demand + n < 0 ? Long.MAX_VALUE : demand + n;
        deliver();
        receive();
    }

    private void deliver() {
        Subscriber<? super Message<byte[]>> to = subscriber;
        while (to != null && demand > 0 && !closing) {
            LeasedMessage next = ready.poll();
            if (next == null) {
                return;
            }
            demand--;
            to.onNext(message(next));
        }
    }

    private Message<byte[]> message(LeasedMessage leased) {
        return Message.of(
                leased.payload(),
                Metadata.of(leased),
                () -> acknowledge(leased.lease()),
                reason -> giveBack(leased.lease()));
    }

    private void receive() {
        if (receiving || closing || demand == 0 || ready.size() >= queue.batchMax()) {
            return;
        }
        receiving = true;
        retry.until(queue.name(), this::attempt)
                .subscribe()
                .with(messages -> serial.execute(() -> received(messages)), failure -> {
                    if (!closing) {
                        LOG.errorf(failure, "No longer receiving from %s", queue.name());
                    }
                });
    }

    /** Ends the waiting when this source closes, for the queue will not come back to it. */
    private Uni<List<LeasedMessage>> attempt() {
        return Uni.createFrom()
                .deferred(() -> queue.receive(queue.batchMax()))
                .onFailure(failure -> !closing)
                .transform(failure -> new StoreUnavailableException(queue.explain(failure), failure));
    }

    private void received(List<LeasedMessage> messages) {
        receiving = false;
        for (LeasedMessage message : messages) {
            held.add(message.lease());
            ready.add(message);
        }
        if (closing) {
            giveBackReady();
        }
        deliver();
        receive();
    }

    private void extendLater() {
        Duration pause = queue.lease().dividedBy(EXTENSIONS_PER_LEASE);
        timers.after(
                pause,
                () -> serial.execute(() -> {
                    if (!closed.isDone()) {
                        extendAll();
                        extendLater();
                    }
                }));
    }

    private void extendAll() {
        if (extending || held.isEmpty()) {
            return;
        }
        extending = true;
        Multi.createFrom()
                .iterable(chunks())
                .onItem()
                .transformToUni(leases -> queue.extend(leases).onFailure().recoverWithItem(failure -> {
                    LOG.debugf("Could not keep %d messages of %s: %s", leases.size(), queue.name(), failure);
                    return null;
                }))
                .merge(CALLS_MAX)
                .onCompletion()
                .invoke(() -> serial.execute(() -> extending = false))
                .subscribe()
                .with(done -> {});
    }

    private List<List<String>> chunks() {
        List<String> all = List.copyOf(held);
        List<List<String>> chunks = new ArrayList<>();
        for (int from = 0; from < all.size(); from += queue.batchMax()) {
            chunks.add(all.subList(from, Math.min(all.size(), from + queue.batchMax())));
        }
        return chunks;
    }

    private CompletionStage<Void> acknowledge(String lease) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        serial.execute(() -> {
            acknowledged.add(new Acknowledged(lease, done));
            acknowledgeNext();
        });
        return done;
    }

    /** While calls are under way the next one gathers. */
    private void acknowledgeNext() {
        if (acknowledged.isEmpty() || acknowledging >= CALLS_MAX) {
            return;
        }
        List<Acknowledged> batch = new ArrayList<>();
        while (!acknowledged.isEmpty() && batch.size() < queue.batchMax()) {
            batch.add(acknowledged.remove());
        }
        acknowledging++;
        queue.acknowledge(batch.stream().map(Acknowledged::lease).toList())
                .subscribe()
                .with(done -> settled(batch, null), failure -> settled(batch, failure));
    }

    private void settled(List<Acknowledged> batch, @Nullable Throwable failure) {
        serial.execute(() -> {
            acknowledging--;
            for (Acknowledged one : batch) {
                held.remove(one.lease());
                boolean unused =
                        failure == null ? one.done().complete(null) : one.done().completeExceptionally(failure);
            }
            acknowledgeNext();
            closeWhenSettled();
        });
    }

    private CompletionStage<Void> giveBack(String lease) {
        serial.execute(() -> held.remove(lease));
        return queue.giveBack(List.of(lease)).subscribeAsCompletionStage();
    }

    private void giveBackReady() {
        List<String> unseen = ready.stream().map(LeasedMessage::lease).toList();
        ready.clear();
        unseen.forEach(held::remove);
        for (int from = 0; from < unseen.size(); from += queue.batchMax()) {
            givingBack++;
            queue.giveBack(unseen.subList(from, Math.min(unseen.size(), from + queue.batchMax())))
                    .onFailure()
                    .invoke(failure -> LOG.debugf("Could not give messages back to %s: %s", queue.name(), failure))
                    .subscribe()
                    .with(done -> gaveBack(), failure -> gaveBack());
        }
    }

    private void gaveBack() {
        serial.execute(() -> {
            givingBack--;
            closeWhenSettled();
        });
    }

    private void closeWhenSettled() {
        boolean settled = acknowledging == 0 && acknowledged.isEmpty() && givingBack == 0;
        if (closing && settled && !ending) {
            ending = true;
            var unused = queue.close().whenComplete((done, failure) -> closed.complete(null));
        }
    }

    private final class Demand implements Subscription {
        @Override
        public void request(long n) {
            serial.execute(() -> LeasedSource.this.request(n));
        }

        @Override
        public void cancel() {
            CompletionStage<Void> unused = close();
        }
    }
}
