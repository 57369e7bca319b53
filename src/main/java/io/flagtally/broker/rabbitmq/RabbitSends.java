package io.flagtally.broker.rabbitmq;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.AlreadyClosedException;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import io.flagtally.broker.ConfirmedSends;
import io.flagtally.broker.OutgoingHeaders;
import io.flagtally.broker.WireHeaders;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;
import java.io.IOException;
import java.util.HashMap;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Publishes to an exchange, persistent and with confirms. A message that no queue receives is refused: RabbitMQ would
 * confirm it and forget it.
 */
final class RabbitSends implements ConfirmedSends.Opener {

    private static final int PERSISTENT = 2;
    private static final String NO_KEY = "";

    private final RabbitServer server;
    private final String exchange;
    private final Executor thread;
    private volatile @Nullable String blocked;

    /** @param thread runs one task at a time, in order, and may be blocked */
    RabbitSends(RabbitServer server, String exchange, Executor thread) {
        this.server = server;
        this.exchange = exchange;
        this.thread = thread;
    }

    /** Why RabbitMQ takes no messages just now, in its own words; null if it does. */
    @Nullable
    String blocked() {
        return blocked;
    }

    @Override
    public Uni<ConfirmedSends.Link> open(Consumer<Throwable> lost) {
        return Uni.createFrom()
                .<ConfirmedSends.Link>item(() -> {
                    try {
                        return publish(lost);
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

    private Publishing publish(Consumer<Throwable> lost) throws IOException, TimeoutException {
        Connection connection = server.connect("to " + exchange);
        try {
            blocked = null;
            connection.addBlockedListener(reason -> blocked = reason, () -> blocked = null);
            Channel channel = connection.createChannel();
            server.makePlaces(channel);
            RabbitServer.makeExchange(channel, exchange);
            Publishing publishing = new Publishing(connection, channel);
            channel.addShutdownListener(why -> {
                blocked = null;
                lost.accept(why);
            });
            return publishing;
        } catch (IOException | RuntimeException e) {
            connection.abort(RabbitServer.PATIENCE_MILLIS);
            throw e;
        }
    }

    private final class Publishing implements ConfirmedSends.Link {

        private final ConcurrentNavigableMap<Long, UniEmitter<? super Void>> unconfirmed =
                new ConcurrentSkipListMap<>();
        private final Connection connection;
        private final Channel channel;

        Publishing(Connection connection, Channel channel) throws IOException {
            this.connection = connection;
            this.channel = channel;
            var selected = channel.confirmSelect();
            var confirms = channel.addConfirmListener(
                    (number, multiple) -> settle(number, multiple, null),
                    (number, multiple) -> settle(number, multiple, refused("it could not write the message")));
            // Comes before the confirm of the message.
            var returns = channel.addReturnListener(returned -> settle(
                    Long.parseLong(returned.getProperties().getMessageId()),
                    false,
                    refused("no queue is bound to the exchange " + exchange)));
        }

        @Override
        public Uni<Void> send(byte[] payload, OutgoingHeaders headers) {
            return Uni.createFrom().emitter(emitter -> thread.execute(() -> send(payload, headers, emitter)));
        }

        @Override
        public void close() {
            thread.execute(() -> connection.abort(RabbitServer.PATIENCE_MILLIS));
        }

        private void send(byte[] payload, OutgoingHeaders headers, UniEmitter<? super Void> emitter) {
            String why = blocked;
            if (why != null) {
                emitter.fail(refused("it takes no messages, " + why));
                return;
            }
            long number = channel.getNextPublishSeqNo();
            unconfirmed.put(number, emitter);
            BasicProperties properties = new BasicProperties.Builder()
                    .deliveryMode(PERSISTENT)
                    .contentType(headers.headers().get(WireHeaders.CONTENT_TYPE))
                    .messageId(Long.toString(number))
                    .headers(new HashMap<>(headers.headers()))
                    .build();
            try {
                String key = headers.key();
                channel.basicPublish(exchange, key == null ? NO_KEY : key, true, properties, payload);
            } catch (IOException | AlreadyClosedException e) {
                settle(number, false, e);
            }
        }

        private void settle(long number, boolean multiple, @Nullable Throwable failure) {
            if (multiple) {
                for (Long each : unconfirmed.headMap(number, true).keySet()) {
                    settle(each, false, failure);
                }
                return;
            }
            UniEmitter<? super Void> emitter = unconfirmed.remove(number);
            if (emitter == null) {
                return;
            }
            if (failure == null) {
                emitter.complete(null);
            } else {
                emitter.fail(failure);
            }
        }

        private RabbitAwayException refused(String why) {
            return new RabbitAwayException("RabbitMQ refused a message: " + why, null);
        }
    }
}
