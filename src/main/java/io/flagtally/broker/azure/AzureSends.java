package io.flagtally.broker.azure;

import io.flagtally.broker.ConfirmedSends;
import io.flagtally.broker.OutgoingHeaders;
import io.smallrye.mutiny.Uni;
import io.vertx.proton.ProtonSender;
import java.time.Duration;
import java.util.function.Consumer;
import org.apache.qpid.proton.message.Message;

/** Sends to a queue or a topic of Service Bus. What is refused for its pace is sent again, a few times. */
final class AzureSends implements ConfirmedSends.Opener {

    private static final int AGAIN_MAX = 4;
    private static final Duration PAUSE_MIN = Duration.ofMillis(100);
    private static final Duration PAUSE_MAX = Duration.ofSeconds(2);

    private final AzureServer server;
    private final String entity;

    AzureSends(AzureServer server, String entity) {
        this.server = server;
        this.entity = entity;
    }

    @Override
    public Uni<ConfirmedSends.Link> open(Consumer<Throwable> lost) {
        return server.connect(lost)
                .chain(connection -> connection
                        .call(() -> connection
                                .authorize(entity)
                                .compose(authorized -> connection.sender(entity, lost::accept)))
                        .<ConfirmedSends.Link>map(sender -> new Sending(connection, sender))
                        .onFailure()
                        .invoke(connection::close));
    }

    @Override
    public String explain(Throwable failure) {
        return AzureFailure.of(failure).sentence(entity, "flagtally.broker.publish-to");
    }

    private record Sending(AzureConnection connection, ProtonSender sender) implements ConfirmedSends.Link {

        @Override
        public Uni<Void> send(byte[] payload, OutgoingHeaders headers) {
            Message message = ServiceBusText.written(payload, headers.headers());
            return connection
                    .call(() -> connection.send(sender, message))
                    .onFailure(AzureSends::isForNow)
                    .retry()
                    .withBackOff(PAUSE_MIN, PAUSE_MAX)
                    .atMost(AGAIN_MAX);
        }

        @Override
        public void close() {
            var unused = connection.close();
        }
    }

    private static boolean isForNow(Throwable failure) {
        return failure instanceof AzureException answer && answer.isForNow();
    }
}
