package io.flagtally.broker;

import io.flagtally.pipeline.Arrival;
import io.flagtally.pipeline.Timers;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow.Processor;
import java.util.concurrent.Flow.Publisher;
import java.util.concurrent.Flow.Subscriber;
import java.util.concurrent.Flow.Subscription;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.jspecify.annotations.Nullable;

/**
 * Delivers again what its consumer refused, and nothing new until that is settled: after a pause, which doubles while the
 * same is refused, and one message at a time, so that a message at fault takes no others with it.
 *
 * <p>The broker hears nothing of a refusal. So its count of deliveries does not grow, what comes after the message need
 * not be read, and a refusal means the same on every broker. Only what is refused after {@link #stop} is the broker's.
 *
 * <p><b>Bounds</b>: it keeps what the consumer was given and refused, and at most as many others as it had asked for.
 * <b>Threads</b>: any; the consumer is called by one at a time.
 */
final class RefusedAgain implements Processor<Message<?>, Message<?>>, Subscription {

    /** Is told what is refused. */
    interface Listener {

        /** @param waiting how many messages are refused just now */
        void refused(int waiting, Throwable reason);

        /** Whatever was refused is settled. */
        void settled();
    }

    static final Duration PAUSE_MIN = Duration.ofMillis(500);
    static final Duration PAUSE_MAX = Duration.ofSeconds(30);

    private final Publisher<? extends Message<?>> messages;
    private final Timers timers;
    private final InstantSource clock;
    private final Listener listener;
    private final AtomicReference<Subscriber<? super Message<?>>> consumer = new AtomicReference<>();
    private volatile @Nullable Subscription source;
    private final AtomicInteger passing = new AtomicInteger();

    private final Object lock = new Object();
    private final Deque<Message<?>> arrived = new ArrayDeque<>();
    private final Deque<Message<?>> refused = new ArrayDeque<>();
    private long demand;
    private long requested;
    private boolean trying;
    private boolean resting;
    private boolean stopped;
    private Duration pause = Duration.ZERO;

    RefusedAgain(Publisher<? extends Message<?>> messages, Timers timers, InstantSource clock, Listener listener) {
        this.messages = messages;
        this.timers = timers;
        this.clock = clock;
        this.listener = listener;
    }

    @Override
    public void subscribe(Subscriber<? super Message<?>> subscriber) {
        if (!consumer.compareAndSet(null, subscriber)) {
            throw new IllegalStateException("the channel has a consumer already");
        }
        messages.subscribe(this);
    }

    @Override
    public void onSubscribe(Subscription subscription) {
        source = subscription;
        consumer().onSubscribe(this);
    }

    @Override
    public void onNext(Message<?> message) {
        synchronized (lock) {
            requested--;
            arrived.add(message);
        }
        pass();
    }

    @Override
    public void onError(Throwable failure) {
        consumer().onError(failure);
    }

    @Override
    public void onComplete() {
        consumer().onComplete();
    }

    @Override
    public void request(long n) {
        synchronized (lock) {
            demand = demand + n < 0 ? Long.MAX_VALUE : demand + n;
        }
        pass();
    }

    @Override
    public void cancel() {
        source().cancel();
    }

    /** Leaves what is refused to the broker, now and from now on. */
    void stop() {
        List<Message<?>> left;
        synchronized (lock) {
            stopped = true;
            left = new ArrayList<>(refused);
            left.addAll(arrived);
            refused.clear();
            arrived.clear();
        }
        IllegalStateException reason = new IllegalStateException("the service stops");
        left.forEach(message -> {
            var unused = message.nack(reason);
        });
    }

    private void pass() {
        if (passing.getAndIncrement() != 0) {
            return;
        }
        int missed = 1;
        do {
            for (Message<?> next = next(); next != null; next = next()) {
                consumer().onNext(next);
            }
            long more = wanted();
            if (more > 0) {
                source().request(more);
            }
            missed = passing.addAndGet(-missed);
        } while (missed != 0);
    }

    private @Nullable Message<?> next() {
        synchronized (lock) {
            if (demand == 0) {
                return null;
            }
            Message<?> next = trying || !refused.isEmpty() ? nextAgain() : offered(arrived.poll());
            demand -= next == null ? 0 : 1;
            return next;
        }
    }

    private @Nullable Message<?> nextAgain() {
        Message<?> next = trying || resting ? null : refused.poll();
        trying |= next != null;
        return next == null ? null : offeredAgain(next);
    }

    /** How many more may come. */
    private long wanted() {
        synchronized (lock) {
            if (trying || !refused.isEmpty() || stopped) {
                return 0;
            }
            long more = Math.max(0, demand - requested);
            requested += more;
            return more;
        }
    }

    private @Nullable Message<?> offered(@Nullable Message<?> message) {
        if (message == null) {
            return null;
        }
        Instant since = clock.instant();
        return message.withNack(
                reason -> refuse(message.addMetadata(arrival(message).triedSince(since)), reason));
    }

    private Message<?> offeredAgain(Message<?> message) {
        return message.withAck(() -> {
                    settled();
                    return message.ack();
                })
                .withNack(reason -> {
                    synchronized (lock) {
                        trying = false;
                    }
                    return refuse(message, reason);
                });
    }

    private static Arrival arrival(Message<?> message) {
        return message.getMetadata(Arrival.class).orElse(Arrival.IN_PROCESS);
    }

    private void settled() {
        boolean all;
        synchronized (lock) {
            trying = false;
            pause = Duration.ZERO;
            all = refused.isEmpty();
        }
        if (all) {
            listener.settled();
        }
        pass();
    }

    private CompletionStage<Void> refuse(Message<?> message, Throwable reason) {
        int waiting;
        Duration rest = null;
        synchronized (lock) {
            if (stopped) {
                return message.nack(reason);
            }
            refused.add(message);
            waiting = refused.size();
            if (!resting) {
                resting = true;
                pause = longer(pause);
                rest = pause;
            }
        }
        listener.refused(waiting, reason);
        if (rest != null) {
            timers.after(rest, this::rested);
        }
        return CompletableFuture.completedFuture(null);
    }

    private void rested() {
        synchronized (lock) {
            resting = false;
        }
        pass();
    }

    private static Duration longer(Duration pause) {
        Duration doubled = pause.multipliedBy(2);
        if (doubled.compareTo(PAUSE_MIN) < 0) {
            return PAUSE_MIN;
        }
        return doubled.compareTo(PAUSE_MAX) > 0 ? PAUSE_MAX : doubled;
    }

    private Subscriber<? super Message<?>> consumer() {
        Subscriber<? super Message<?>> to = consumer.get();
        if (to == null) {
            throw new IllegalStateException("the channel has no consumer");
        }
        return to;
    }

    private Subscription source() {
        Subscription from = source;
        if (from == null) {
            throw new IllegalStateException("the channel has no source");
        }
        return from;
    }
}
