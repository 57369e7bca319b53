package io.flagtally.broker;

import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.smallrye.reactive.messaging.connector.InboundConnector;
import io.smallrye.reactive.messaging.connector.OutboundConnector;
import io.smallrye.reactive.messaging.providers.helpers.MultiUtils;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.concurrent.Flow.Publisher;
import java.util.concurrent.Flow.Subscriber;
import org.eclipse.microprofile.config.Config;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.eclipse.microprofile.reactive.messaging.spi.Connector;

/**
 * The connector of a channel that this process does not use: nothing ever comes in, and what goes out is refused. It
 * opens no socket.
 */
@ApplicationScoped
@Connector(IdleConnector.NAME)
public class IdleConnector implements InboundConnector, OutboundConnector {

    public static final String NAME = "flagtally-idle";

    @Override
    public Publisher<? extends Message<?>> getPublisher(Config config) {
        return Multi.createFrom().<Message<?>>nothing();
    }

    @Override
    public Subscriber<? extends Message<?>> getSubscriber(Config config) {
        String channel = config.getValue("channel-name", String.class);
        return MultiUtils.via(messages -> messages.onItem()
                .transformToUniAndConcatenate(message -> Uni.createFrom()
                        .completionStage(message.nack(new IllegalStateException(
                                "the channel " + channel + " is not used by this process")))));
    }
}
