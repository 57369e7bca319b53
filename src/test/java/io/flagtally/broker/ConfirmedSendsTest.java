package io.flagtally.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.platform.error.UnavailableException;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.helpers.test.UniAssertSubscriber;
import io.smallrye.mutiny.subscription.UniEmitter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.eclipse.microprofile.reactive.messaging.Metadata;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ConfirmedSendsTest {

    private final Broker broker = new Broker();
    private final ConfirmedSends sends = new ConfirmedSends(broker);

    @Test
    void send_isDoneWhenTheBrokerConfirms() {
        UniAssertSubscriber<Void> sent = send("a");
        broker.answer(null);
        sent.assertNotTerminated();

        broker.link.confirm(0);

        sent.assertCompleted();
    }

    @Test
    void send_whileConnecting_sharesTheAttemptAndKeepsTheOrder() {
        UniAssertSubscriber<Void> first = send("a");
        UniAssertSubscriber<Void> second = send("b");

        broker.answer(null);
        UniAssertSubscriber<Void> third = send("c");

        assertEquals(1, broker.attempts);
        assertEquals(List.of("a", "b", "c"), broker.link.payloads);
        for (int i = 0; i < 3; i++) {
            broker.link.confirm(i);
        }
        List.of(first, second, third).forEach(UniAssertSubscriber::assertCompleted);
    }

    @Test
    void send_brokerAway_isRefusedAndTheNextOneTriesAgain() {
        UniAssertSubscriber<Void> first = send("a");
        UniAssertSubscriber<Void> second = send("b");
        broker.answer(new IllegalStateException("nobody listens"));

        first.assertFailedWith(UnavailableException.class, "nobody listens");
        second.assertFailedWith(UnavailableException.class, "nobody listens");
        UniAssertSubscriber<Void> third = send("c");
        broker.answer(null);
        broker.link.confirm(0);

        third.assertCompleted();
        assertEquals(2, broker.attempts);
    }

    /** Or what a channel may have on its way would be used up by a few cuts. */
    @Test
    void lost_unconfirmedMessages_areRefusedAtOnce() {
        UniAssertSubscriber<Void> confirmed = send("a");
        UniAssertSubscriber<Void> unconfirmed = send("b");
        broker.answer(null);
        broker.link.confirm(0);

        broker.lost.accept(new IllegalStateException("cut"));

        confirmed.assertCompleted();
        unconfirmed.assertFailedWith(UnavailableException.class, "cut");
        assertTrue(broker.link.closed);
        UniAssertSubscriber<Void> next = send("c");
        broker.answer(null);
        broker.link.confirm(0);
        next.assertCompleted();
    }

    @Test
    void send_refusedByTheBroker_failsAlone() {
        UniAssertSubscriber<Void> refused = send("a");
        UniAssertSubscriber<Void> taken = send("b");
        broker.answer(null);

        broker.link.waiting.get(0).fail(new IllegalStateException("no queue"));
        broker.link.confirm(1);

        refused.assertFailedWith(UnavailableException.class, "no queue");
        taken.assertCompleted();
        assertEquals(1, broker.attempts);
    }

    @Test
    void close_refusesWhatIsOnItsWayAndWhatComes() {
        UniAssertSubscriber<Void> before = send("a");
        broker.answer(null);

        sends.close();

        before.assertFailedWith(UnavailableException.class, "closed");
        send("b").assertFailedWith(UnavailableException.class, "closed");
        assertTrue(broker.link.closed);
    }

    private UniAssertSubscriber<Void> send(String text) {
        Message<byte[]> message =
                Message.of(text.getBytes(StandardCharsets.UTF_8), Metadata.of(new OutgoingHeaders(Map.of(), null)));
        return sends.send(message).subscribe().withSubscriber(UniAssertSubscriber.create());
    }

    private static final class Broker implements ConfirmedSends.Opener {

        private int attempts;
        private Link link = new Link();
        private Consumer<Throwable> lost = why -> {};
        private Consumer<@Nullable Throwable> answer = why -> {};

        @Override
        public Uni<ConfirmedSends.Link> open(Consumer<Throwable> told) {
            attempts++;
            lost = told;
            link = new Link();
            return Uni.createFrom()
                    .emitter(emitter -> answer = failure -> {
                        if (failure == null) {
                            emitter.complete(link);
                        } else {
                            emitter.fail(failure);
                        }
                    });
        }

        @Override
        public String explain(Throwable failure) {
            return String.valueOf(failure.getMessage());
        }

        void answer(@Nullable Throwable failure) {
            answer.accept(failure);
        }
    }

    private static final class Link implements ConfirmedSends.Link {

        private final List<String> payloads = new ArrayList<>();
        private final List<UniEmitter<? super Void>> waiting = new ArrayList<>();
        private boolean closed;

        void confirm(int number) {
            waiting.get(number).complete(null);
        }

        @Override
        public Uni<Void> send(byte[] payload, OutgoingHeaders headers) {
            payloads.add(new String(payload, StandardCharsets.UTF_8));
            return Uni.createFrom().emitter(waiting::add);
        }

        @Override
        public void close() {
            closed = true;
        }
    }
}
