package io.flagtally.broker.rabbitmq;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.AlreadyClosedException;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import io.flagtally.broker.LeasedMessage;
import io.flagtally.broker.PushedQueue;
import io.smallrye.mutiny.Uni;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeoutException;
import org.jboss.logging.Logger;

/** Listens to the queue of our group. A lease is the delivery tag, which counts from 1 on every channel. */
final class RabbitDeliveries implements PushedQueue.Opener {

    private static final Logger LOG = Logger.getLogger(RabbitDeliveries.class);

    private final RabbitServer server;
    private final int prefetch;
    private final Executor thread;

    /** @param thread runs one task at a time, in order, and may be blocked */
    RabbitDeliveries(RabbitServer server, int prefetch, Executor thread) {
        this.server = server;
        this.prefetch = prefetch;
        this.thread = thread;
    }

    @Override
    public Uni<PushedQueue.Link> open(PushedQueue.Inbox inbox) {
        return Uni.createFrom()
                .<PushedQueue.Link>item(() -> {
                    try {
                        return listen(inbox);
                    } catch (IOException | TimeoutException e) {
                        throw new RabbitAwayException(server.explain(e), e);
                    }
                })
                .runSubscriptionOn(thread);
    }

    @Override
    public String explain(Throwable failure) {
        return failure instanceof RabbitAwayException away
                ? String.valueOf(away.getMessage())
                : server.explain(failure);
    }

    private Listening listen(PushedQueue.Inbox inbox) throws IOException, TimeoutException {
        Connection connection = server.connect("events");
        try {
            Channel channel = connection.createChannel();
            server.makePlaces(channel);
            channel.basicQos(prefetch);
            channel.addShutdownListener(inbox::lost);
            var tag = channel.basicConsume(server.queue(), false, new Consumer(channel, inbox));
            return new Listening(connection, channel);
        } catch (IOException | RuntimeException e) {
            connection.abort(RabbitServer.PATIENCE_MILLIS);
            throw e;
        }
    }

    private static final class Consumer extends DefaultConsumer {

        private final PushedQueue.Inbox inbox;

        Consumer(Channel channel, PushedQueue.Inbox inbox) {
            super(channel);
            this.inbox = inbox;
        }

        @Override
        public void handleDelivery(String tag, Envelope envelope, BasicProperties properties, byte[] body) {
            Map<String, String> headers = new HashMap<>();
            if (properties.getHeaders() != null) {
                properties.getHeaders().forEach((name, value) -> headers.put(name, String.valueOf(value)));
            }
            inbox.arrived(
                    new LeasedMessage(Long.toString(envelope.getDeliveryTag()), body, headers, envelope.isRedeliver()));
        }

        @Override
        public void handleCancel(String tag) {
            inbox.lost(new IOException("the queue was deleted"));
        }
    }

    private final class Listening implements PushedQueue.Link {

        private final Connection connection;
        private final Channel channel;

        Listening(Connection connection, Channel channel) {
            this.connection = connection;
            this.channel = channel;
        }

        @Override
        public Uni<Void> acknowledge(List<String> tags) {
            return tell(tags, tag -> channel.basicAck(tag, false));
        }

        @Override
        public Uni<Void> giveBack(List<String> tags) {
            return tell(tags, tag -> channel.basicNack(tag, false, true));
        }

        @Override
        public CompletionStage<Void> close() {
            return CompletableFuture.runAsync(() -> connection.abort(RabbitServer.PATIENCE_MILLIS), thread);
        }

        private Uni<Void> tell(List<String> tags, Telling telling) {
            return Uni.createFrom()
                    .<Void>emitter(emitter -> {
                        try {
                            for (String tag : tags) {
                                telling.of(Long.parseLong(tag));
                            }
                        } catch (IOException | AlreadyClosedException e) {
                            LOG.debugf("RabbitMQ was not told of %d messages: %s", tags.size(), e);
                        }
                        emitter.complete(null);
                    })
                    .runSubscriptionOn(thread);
        }
    }

    /** Tells RabbitMQ of one message. */
    private interface Telling {
        void of(long tag) throws IOException;
    }
}
