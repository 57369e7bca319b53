package io.flagtally.broker;

import io.flagtally.codec.EventHeaders;
import io.flagtally.codec.PartitionKey;
import io.flagtally.pipeline.DeadLetter;
import io.smallrye.mutiny.Multi;
import io.smallrye.reactive.messaging.SubscriberDecorator;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.eclipse.microprofile.reactive.messaging.Message;

/** Writes the headers of what leaves on a channel to a broker. */
@ApplicationScoped
class OutgoingBridge implements SubscriberDecorator {

    private final Channels channels;

    @Inject
    OutgoingBridge(Channels channels) {
        this.channels = channels;
    }

    @Override
    public Multi<? extends Message<?>> decorate(
            Multi<? extends Message<?>> messages, List<String> channel, boolean isConnector) {
        if (!isConnector || !Channels.OUTGOING.contains(channel.get(0))) {
            return messages;
        }
        Optional<Carrier> carrier = channels.carrier(channels.outgoing(channel.get(0)));
        return carrier.isEmpty() ? messages : messages.map(message -> written(carrier.get(), message));
    }

    @SuppressWarnings("unchecked")
    private static Message<byte[]> written(Carrier carrier, Message<?> message) {
        EventHeaders headers = message.getMetadata(EventHeaders.class)
                .orElseThrow(() -> new IllegalStateException("a message without EventHeaders was sent"));
        Map<String, String> text = WireHeaders.write(headers);
        message.getMetadata(DeadLetter.class)
                .ifPresent(letter -> LetterHeaders.write(letter, text, carrier.headersMax()));
        String key =
                message.getMetadata(PartitionKey.class).map(PartitionKey::value).orElse(null);
        return carrier.outgoing((Message<byte[]>) message, text, key);
    }
}
