package io.flagtally.broker;

import io.smallrye.mutiny.Uni;
import io.smallrye.reactive.messaging.providers.helpers.MultiUtils;
import java.util.concurrent.Flow.Subscriber;
import java.util.function.Function;
import org.eclipse.microprofile.reactive.messaging.Message;

/** The outgoing side of connectors of our own. */
public final class BoundedSends {

    private BoundedSends() {}

    /**
     * Sends with at most {@code sendsMax} on their way, and tells each message what became of it. A failure ends nothing.
     *
     * @param send done when the broker has the message
     */
    public static Subscriber<Message<?>> subscriber(int sendsMax, Function<Message<?>, Uni<Void>> send) {
        return MultiUtils.via(messages -> messages.onItem()
                .transformToUni(message -> Uni.createFrom()
                        .deferred(() -> send.apply(message))
                        .onItemOrFailure()
                        .transformToUni((done, failure) -> Uni.createFrom()
                                .completionStage(failure == null ? message.ack() : message.nack(failure)))
                        .onFailure()
                        .recoverWithNull())
                .merge(sendsMax));
    }
}
