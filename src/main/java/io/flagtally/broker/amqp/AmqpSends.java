package io.flagtally.broker.amqp;

import io.flagtally.broker.ConfirmedSends;
import io.flagtally.broker.OutgoingHeaders;
import io.flagtally.broker.WireHeaders;
import io.smallrye.mutiny.Uni;
import io.vertx.amqp.AmqpConnection;
import io.vertx.amqp.AmqpMessage;
import io.vertx.amqp.AmqpMessageBuilder;
import io.vertx.amqp.AmqpSender;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.util.HashMap;
import java.util.function.Consumer;

/** Sends durable messages to an address. Headers are application properties, the key is the group id. */
final class AmqpSends implements ConfirmedSends.Opener {

    private final AmqpServer server;
    private final String address;

    AmqpSends(AmqpServer server, String address) {
        this.server = server;
        this.address = address;
    }

    @Override
    public Uni<ConfirmedSends.Link> open(Consumer<Throwable> lost) {
        return server.connect(lost)
                .chain(connection -> AmqpServer.uni(connection.createSender(address))
                        .<ConfirmedSends.Link>map(sender -> {
                            sender.exceptionHandler(lost::accept);
                            return new Sending(connection, sender);
                        })
                        .onFailure()
                        .invoke(failure -> AmqpServer.end(connection)));
    }

    @Override
    public String explain(Throwable failure) {
        return server.explain(failure);
    }

    /** A message that the broker gives no credit for waits for it. */
    private record Sending(AmqpConnection connection, AmqpSender sender) implements ConfirmedSends.Link {

        @Override
        public Uni<Void> send(byte[] payload, OutgoingHeaders headers) {
            AmqpMessageBuilder message = AmqpMessage.create()
                    .durable(true)
                    .contentType(headers.headers().get(WireHeaders.CONTENT_TYPE))
                    .applicationProperties(new JsonObject(new HashMap<>(headers.headers())))
                    .withBufferAsBody(Buffer.buffer(payload));
            String key = headers.key();
            AmqpMessage built = (key == null ? message : message.groupId(key)).build();
            return Uni.createFrom().completionStage(sender.sendWithAck(built).toCompletionStage());
        }

        @Override
        public void close() {
            AmqpServer.end(connection);
        }
    }
}
