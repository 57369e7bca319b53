package io.flagtally.broker.gcp;

import com.google.pubsub.v1.GetSubscriptionRequest;
import com.google.pubsub.v1.GetTopicRequest;
import com.google.pubsub.v1.Subscription;
import io.flagtally.broker.gcp.GcpFailure.Kind;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;

/** Looks at topics and subscriptions. Blocks, for some seconds at most. */
final class GcpLook {

    /** Of one look. */
    static final Duration PATIENCE = Duration.ofSeconds(5);

    private final GcpClients clients;

    GcpLook(GcpClients clients) {
        this.clients = clients;
    }

    /** Why the topic cannot be used; empty if it can. */
    Optional<GcpFailure> topic(String name, Duration patience) {
        GetTopicRequest request = GetTopicRequest.newBuilder().setTopic(name).build();
        return failure(
                clients.publisher(stub -> stub.getTopicCallable().futureCall(request)),
                patience,
                topic -> Optional.empty());
    }

    /** Why the subscription cannot be used; empty if it can. */
    Optional<GcpFailure> subscription(String name, boolean ordered, Duration patience) {
        GetSubscriptionRequest request =
                GetSubscriptionRequest.newBuilder().setSubscription(name).build();
        return failure(
                clients.subscriber(stub -> stub.getSubscriptionCallable().futureCall(request)),
                patience,
                found -> ordered ? unordered(found) : Optional.empty());
    }

    private static Optional<GcpFailure> unordered(Subscription found) {
        return found.getEnableMessageOrdering()
                ? Optional.empty()
                : Optional.of(new GcpFailure(Kind.UNORDERED, found.getName()));
    }

    private static <T> Optional<GcpFailure> failure(
            Uni<T> look, Duration patience, Function<T, Optional<GcpFailure>> judge) {
        try {
            return judge.apply(look.await().atMost(patience));
        } catch (RuntimeException e) {
            return Optional.of(GcpFailure.of(e));
        }
    }
}
