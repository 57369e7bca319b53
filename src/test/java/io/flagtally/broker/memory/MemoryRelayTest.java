package io.flagtally.broker.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.smallrye.mutiny.helpers.test.AssertSubscriber;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Flow.Subscription;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.junit.jupiter.api.Test;

class MemoryRelayTest {

    private final MemoryRelay relay = new MemoryRelay("events");

    private static final class Asked implements Subscription {
        private final List<Long> requests = new ArrayList<>();
        private boolean cancelled;

        @Override
        public void request(long n) {
            requests.add(n);
        }

        @Override
        public void cancel() {
            cancelled = true;
        }
    }

    @Test
    void request_reachesTheSender() {
        Asked sender = new Asked();
        relay.onSubscribe(sender);

        AssertSubscriber<Message<?>> consumer = AssertSubscriber.create(0);
        relay.subscribe(consumer);
        consumer.request(3);

        assertEquals(List.of(3L), sender.requests);
    }

    @Test
    void request_beforeTheSenderCame_isRememberedOnce() {
        AssertSubscriber<Message<?>> consumer = AssertSubscriber.create(0);
        relay.subscribe(consumer);
        consumer.request(2);
        consumer.request(1);
        Asked sender = new Asked();

        relay.onSubscribe(sender);

        assertEquals(List.of(3L), sender.requests);
    }

    @Test
    void onNext_passesTheVeryMessage() {
        relay.onSubscribe(new Asked());
        AssertSubscriber<Message<?>> consumer = AssertSubscriber.create(1);
        relay.subscribe(consumer);
        Message<String> message = Message.of("a");

        relay.onNext(message);

        assertEquals(List.of(message), consumer.getItems());
    }

    @Test
    void subscribe_secondConsumer_isRefusedByName() {
        relay.subscribe(AssertSubscriber.create(0));

        IllegalStateException refused =
                assertThrows(IllegalStateException.class, () -> relay.subscribe(AssertSubscriber.create(0)));

        assertEquals(
                "address events of the in-process broker has a consumer already; give the second channel another"
                        + " address",
                refused.getMessage());
    }

    @Test
    void cancel_reachesTheSender() {
        Asked sender = new Asked();
        relay.onSubscribe(sender);
        AssertSubscriber<Message<?>> consumer = AssertSubscriber.create(0);
        relay.subscribe(consumer);

        consumer.cancel();

        assertEquals(true, sender.cancelled);
    }
}
