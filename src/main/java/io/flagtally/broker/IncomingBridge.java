package io.flagtally.broker;

import io.flagtally.broker.Carrier.Arrived;
import io.flagtally.codec.EventHeaders;
import io.flagtally.pipeline.Arrival;
import io.smallrye.mutiny.Multi;
import io.smallrye.reactive.messaging.PublisherDecorator;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.eclipse.microprofile.reactive.messaging.Message;

/**
 * Reads the headers of what a broker delivers. A message that cannot be read passes with the reason, and goes to the
 * dead letters whole.
 */
@ApplicationScoped
class IncomingBridge implements PublisherDecorator {

    private final Channels channels;
    private final InstantSource clock;

    @Inject
    IncomingBridge(Channels channels, InstantSource clock) {
        this.channels = channels;
        this.clock = clock;
    }

    @Override
    public Multi<? extends Message<?>> decorate(
            Multi<? extends Message<?>> messages, List<String> channel, boolean isConnector) {
        if (!isConnector || !channel.get(0).equals(Channels.EVENTS)) {
            return messages;
        }
        Optional<Carrier> carrier = channels.carrier(channels.incoming(Channels.EVENTS));
        return carrier.isEmpty() ? messages : messages.map(message -> read(carrier.get(), message));
    }

    private Message<byte[]> read(Carrier carrier, Message<?> message) {
        Arrived arrived;
        try {
            arrived = carrier.incoming(message);
        } catch (RuntimeException e) {
            return unreadable(message, new Arrived(bytes(message.getPayload()), Map.of(), false), e);
        }
        try {
            EventHeaders headers = WireHeaders.read(arrived.headers());
            return message.withPayload(arrived.payload())
                    .addMetadata(headers)
                    .addMetadata(new Arrival(arrived.redelivered(), Optional.empty(), arrived.headers()));
        } catch (RuntimeException e) {
            return unreadable(message, arrived, e);
        }
    }

    private Message<byte[]> unreadable(Message<?> message, Arrived arrived, RuntimeException why) {
        Optional<String> fault = Optional.of(String.valueOf(why.getMessage()));
        return message.withPayload(arrived.payload())
                .addMetadata(WireHeaders.readable(arrived.headers(), clock.instant()))
                .addMetadata(new Arrival(arrived.redelivered(), fault, arrived.headers()));
    }

    private static byte[] bytes(Object payload) {
        return payload instanceof byte[] bytes ? bytes : String.valueOf(payload).getBytes(StandardCharsets.UTF_8);
    }
}
