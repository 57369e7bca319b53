package io.flagtally.broker.amqp;

import io.flagtally.broker.AmqpBody;
import io.flagtally.broker.LeasedMessage;
import io.flagtally.broker.PushedQueue;
import io.smallrye.mutiny.Uni;
import io.vertx.amqp.AmqpConnection;
import io.vertx.amqp.AmqpMessage;
import io.vertx.amqp.AmqpReceiver;
import io.vertx.amqp.AmqpReceiverOptions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.apache.qpid.proton.amqp.messaging.ApplicationProperties;

/** Receives from an address. A lease is a number that counts what came over the link. */
final class AmqpDeliveries implements PushedQueue.Opener {

    /** One in so many of the messages that are worked on may lie ready besides. */
    private static final int BEFORE_THE_HANDLER = 4;

    private final AmqpServer server;
    private final String address;
    private final int prefetch;

    AmqpDeliveries(AmqpServer server, String address, int prefetch) {
        this.server = server;
        this.address = address;
        this.prefetch = prefetch;
    }

    @Override
    public Uni<PushedQueue.Link> open(PushedQueue.Inbox inbox) {
        return server.connect(inbox::lost).chain(connection -> listen(connection, inbox));
    }

    @Override
    public String explain(Throwable failure) {
        return server.explain(failure);
    }

    private Uni<PushedQueue.Link> listen(AmqpConnection connection, PushedQueue.Inbox inbox) {
        // The client gives credit for what the handler has seen; the handler sees no more than is worked on.
        int credit = Math.max(1, prefetch / BEFORE_THE_HANDLER);
        AmqpReceiverOptions options =
                new AmqpReceiverOptions().setAutoAcknowledgement(false).setMaxBufferedMessages(credit);
        return AmqpServer.uni(connection.createReceiver(address, options))
                .<PushedQueue.Link>map(receiver -> {
                    Listening listening = new Listening(connection, receiver);
                    receiver.exceptionHandler(inbox::lost);
                    receiver.pause();
                    receiver.fetch(prefetch);
                    receiver.handler(message -> inbox.arrived(listening.lent(message)));
                    return listening;
                })
                .onFailure()
                .invoke(failure -> AmqpServer.end(connection));
    }

    private static final class Listening implements PushedQueue.Link {

        private final AtomicLong count = new AtomicLong();
        private final Map<String, AmqpMessage> unsettled = new ConcurrentHashMap<>();
        private final AmqpConnection connection;
        private final AmqpReceiver receiver;

        Listening(AmqpConnection connection, AmqpReceiver receiver) {
            this.connection = connection;
            this.receiver = receiver;
        }

        LeasedMessage lent(AmqpMessage message) {
            String lease = Long.toString(count.incrementAndGet());
            unsettled.put(lease, message);
            return new LeasedMessage(
                    lease, AmqpBody.bytes(message.unwrap().getBody()), headers(message), message.deliveryCount() > 0);
        }

        @Override
        public Uni<Void> acknowledge(List<String> leases) {
            return settle(leases, AmqpMessage::accepted);
        }

        @Override
        public Uni<Void> giveBack(List<String> leases) {
            return settle(leases, AmqpMessage::released);
        }

        @Override
        public CompletionStage<Void> close() {
            return connection.close().toCompletionStage();
        }

        private Uni<Void> settle(List<String> leases, Consumer<AmqpMessage> how) {
            for (String lease : leases) {
                AmqpMessage message = unsettled.remove(lease);
                if (message != null) {
                    how.accept(message);
                    receiver.fetch(1);
                }
            }
            return Uni.createFrom().voidItem();
        }
    }

    private static Map<String, String> headers(AmqpMessage message) {
        Map<String, String> headers = new HashMap<>();
        ApplicationProperties properties = message.unwrap().getApplicationProperties();
        if (properties != null) {
            properties.getValue().forEach((name, value) -> headers.put(name, String.valueOf(value)));
        }
        return headers;
    }
}
