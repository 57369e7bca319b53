package io.flagtally.broker.memory;

import java.util.concurrent.Flow.Processor;
import java.util.concurrent.Flow.Subscriber;
import java.util.concurrent.Flow.Subscription;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.jspecify.annotations.Nullable;

/**
 * Joins a sender and a consumer, whichever comes first. Passes messages one way and demand the other; keeps neither
 * messages nor threads.
 */
final class MemoryRelay implements Processor<Message<?>, Message<?>> {

    private final String address;
    private final Object lock = new Object();
    private @Nullable Subscription sender;
    private @Nullable Subscriber<? super Message<?>> consumer;
    private long demandBeforeSender;

    MemoryRelay(String address) {
        this.address = address;
    }

    @Override
    public void subscribe(Subscriber<? super Message<?>> subscriber) {
        synchronized (lock) {
            if (consumer != null) {
                throw new IllegalStateException("address " + address
                        + " of the in-process broker has a consumer already; give the second channel another address");
            }
            consumer = subscriber;
        }
        subscriber.onSubscribe(new Demand());
    }

    @Override
    public void onSubscribe(Subscription subscription) {
        long waiting;
        synchronized (lock) {
            if (sender != null) {
                throw new IllegalStateException("address " + address
                        + " of the in-process broker has a sender already; give the second channel another address");
            }
            sender = subscription;
            waiting = demandBeforeSender;
            demandBeforeSender = 0;
        }
        if (waiting > 0) {
            subscription.request(waiting);
        }
    }

    @Override
    public void onNext(Message<?> message) {
        Subscriber<? super Message<?>> to;
        synchronized (lock) {
            to = consumer;
        }
        if (to == null) {
            throw new IllegalStateException("address " + address + " was sent a message that nobody asked for");
        }
        to.onNext(message);
    }

    @Override
    public void onError(Throwable failure) {
        Subscriber<? super Message<?>> to;
        synchronized (lock) {
            to = consumer;
        }
        if (to != null) {
            to.onError(failure);
        }
    }

    @Override
    public void onComplete() {
        Subscriber<? super Message<?>> to;
        synchronized (lock) {
            to = consumer;
        }
        if (to != null) {
            to.onComplete();
        }
    }

    private final class Demand implements Subscription {
        @Override
        public void request(long n) {
            Subscription from;
            synchronized (lock) {
                from = sender;
                if (from == null) {
                    demandBeforeSender += n;
                }
            }
            if (from != null) {
                from.request(n);
            }
        }

        @Override
        public void cancel() {
            Subscription from;
            synchronized (lock) {
                from = sender;
                consumer = null;
            }
            if (from != null) {
                from.cancel();
            }
        }
    }
}
