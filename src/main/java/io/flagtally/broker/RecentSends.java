package io.flagtally.broker;

import io.smallrye.mutiny.Multi;
import io.smallrye.reactive.messaging.SubscriberDecorator;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import org.eclipse.microprofile.reactive.messaging.Message;

/** Knows whether the broker confirmed events lately, which says more than any look at it. */
@Singleton
class RecentSends implements SubscriberDecorator {

    static final Duration RECENT = Duration.ofSeconds(10);

    private final InstantSource clock;
    private volatile Instant confirmedAt = Instant.MIN;

    @Inject
    RecentSends(InstantSource clock) {
        this.clock = clock;
    }

    @Override
    public Multi<? extends Message<?>> decorate(
            Multi<? extends Message<?>> messages, List<String> channel, boolean isConnector) {
        return isConnector && channel.get(0).equals(Channels.EVENTS_OUT) ? messages.map(this::watched) : messages;
    }

    /** Whether a message was confirmed in the last {@link #RECENT}. */
    boolean areConfirmed() {
        return confirmedAt.plus(RECENT).isAfter(clock.instant());
    }

    private <T> Message<T> watched(Message<T> message) {
        return message.withAck(() -> {
            confirmedAt = clock.instant();
            return message.ack();
        });
    }
}
