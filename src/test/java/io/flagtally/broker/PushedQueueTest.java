package io.flagtally.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.helpers.test.UniAssertSubscriber;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

class PushedQueueTest {

    private final Broker broker = new Broker();
    private final PushedQueue queue = new PushedQueue("the queue", broker);

    @Test
    void receive_brokerAway_failsAndTheNextOneConnects() {
        broker.away = true;

        receive(10).assertFailedWith(IllegalStateException.class, "away");
        broker.away = false;
        receive(10).assertCompleted().assertItem(List.of());

        assertEquals(1, broker.links.size());
    }

    @Test
    void receive_nothingThere_waitsForTheFirstMessage() {
        connect();

        UniAssertSubscriber<List<LeasedMessage>> waiting = receive(10);
        waiting.assertNotTerminated();
        broker.last().push("1", "2");

        assertEquals(List.of("1:1"), leases(waiting));
        assertEquals(List.of("1:2"), leases(receive(10)));
        assertEquals(2, queue.held());
    }

    @Test
    void receive_manyThere_givesNoMoreThanWanted() {
        connect();
        broker.last().push("1", "2", "3");

        assertEquals(List.of("1:1", "1:2"), leases(receive(2)));
        assertEquals(List.of("1:3"), leases(receive(2)));
    }

    @Test
    void receive_connectionLostWhileWaiting_fails() {
        connect();
        UniAssertSubscriber<List<LeasedMessage>> waiting = receive(10);

        broker.last().inbox.lost(new IllegalStateException("cut"));

        waiting.assertFailedWith(IllegalStateException.class, "cut");
        assertTrue(broker.last().closed);
    }

    @Test
    void receive_linkRestedWhileWaiting_connectsAgainWithoutAFailure() {
        connect();
        UniAssertSubscriber<List<LeasedMessage>> waiting = receive(10);

        broker.last().inbox.rested();

        waiting.assertCompleted().assertItem(List.of());
        assertTrue(broker.last().closed);
        connect();
        assertEquals(2, broker.links.size());
    }

    /** On the new connection the same number names another message, which is not counted yet. */
    @Test
    void acknowledge_messageOfALostConnection_reachesNoOther() {
        connect();
        broker.last().push("1", "2");
        List<String> old = leases(receive(10));
        broker.last().inbox.lost(new IllegalStateException("cut"));
        connect();
        broker.last().push("1", "2");
        List<String> again = leases(receive(10));

        queue.acknowledge(old).await().indefinitely();
        queue.giveBack(old).await().indefinitely();

        assertEquals(List.of(), broker.last().told, "an old message was taken for a new one");
        assertEquals(2, queue.held());
        queue.acknowledge(again).await().indefinitely();
        assertEquals(List.of("done 1", "done 2"), broker.last().told);
        assertEquals(0, queue.held());
    }

    @Test
    void lost_whatLayReady_isNotGivenOut() {
        connect();
        broker.last().push("1");
        broker.last().inbox.lost(new IllegalStateException("cut"));
        Link old = broker.last();

        connect();
        old.push("2");

        UniAssertSubscriber<List<LeasedMessage>> waiting = receive(10);
        waiting.assertNotTerminated();
        broker.last().push("7");
        assertEquals(List.of("2:7"), leases(waiting));
    }

    @Test
    void giveBack_reachesTheBroker() {
        connect();
        broker.last().push("1");

        queue.giveBack(leases(receive(10))).await().indefinitely();

        assertEquals(List.of("back 1"), broker.last().told);
    }

    @Test
    void close_endsTheConnectionAndTheWaiting() {
        connect();
        UniAssertSubscriber<List<LeasedMessage>> waiting = receive(10);
        assertFalse(broker.last().closed);

        CompletableFuture<Void> closed = queue.close().toCompletableFuture();

        assertTrue(broker.last().closed);
        assertFalse(closed.isDone(), "the broker has not heard it");
        boolean unused = broker.last().ended.complete(null);
        assertTrue(closed.isDone());
        waiting.assertFailedWith(IllegalStateException.class, "the queue is closed");
        receive(10).assertFailedWith(IllegalStateException.class, "the queue is closed");
        assertEquals(1, broker.links.size());
    }

    private void connect() {
        receive(10).assertCompleted().assertItem(List.of());
    }

    private UniAssertSubscriber<List<LeasedMessage>> receive(int count) {
        return queue.receive(count).subscribe().withSubscriber(UniAssertSubscriber.create());
    }

    private static List<String> leases(UniAssertSubscriber<List<LeasedMessage>> received) {
        return received.assertCompleted().getItem().stream()
                .map(LeasedMessage::lease)
                .toList();
    }

    private static final class Broker implements PushedQueue.Opener {

        private final List<Link> links = new ArrayList<>();
        private boolean away;

        @Override
        public Uni<PushedQueue.Link> open(PushedQueue.Inbox inbox) {
            if (away) {
                return Uni.createFrom().failure(new IllegalStateException("away"));
            }
            links.add(new Link(inbox));
            return Uni.createFrom().item(last());
        }

        @Override
        public String explain(Throwable failure) {
            return String.valueOf(failure.getMessage());
        }

        Link last() {
            return links.get(links.size() - 1);
        }
    }

    private static final class Link implements PushedQueue.Link {

        private final List<String> told = new ArrayList<>();
        private final PushedQueue.Inbox inbox;
        private final CompletableFuture<Void> ended = new CompletableFuture<>();
        private boolean closed;

        Link(PushedQueue.Inbox inbox) {
            this.inbox = inbox;
        }

        void push(String... leases) {
            for (String lease : leases) {
                inbox.arrived(new LeasedMessage(lease, new byte[0], Map.of(), false));
            }
        }

        @Override
        public Uni<Void> acknowledge(List<String> leases) {
            leases.forEach(lease -> told.add("done " + lease));
            return Uni.createFrom().voidItem();
        }

        @Override
        public Uni<Void> giveBack(List<String> leases) {
            leases.forEach(lease -> told.add("back " + lease));
            return Uni.createFrom().voidItem();
        }

        @Override
        public CompletionStage<Void> close() {
            closed = true;
            return ended;
        }
    }
}
