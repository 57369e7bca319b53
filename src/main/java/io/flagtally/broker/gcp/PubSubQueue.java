package io.flagtally.broker.gcp;

import com.google.api.core.ApiFuture;
import com.google.api.gax.rpc.DeadlineExceededException;
import com.google.pubsub.v1.AcknowledgeRequest;
import com.google.pubsub.v1.ModifyAckDeadlineRequest;
import com.google.pubsub.v1.PubsubMessage;
import com.google.pubsub.v1.PullRequest;
import com.google.pubsub.v1.ReceivedMessage;
import io.flagtally.broker.LeasedMessage;
import io.flagtally.broker.LeasedQueue;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** A subscription of Pub/Sub. */
final class PubSubQueue implements LeasedQueue {

    /** So that a batch of the largest messages fits into memory; far below what Pub/Sub would give. */
    static final int BATCH_MAX = 20;

    private final GcpClients clients;
    private final String subscription;
    private final Duration ackDeadline;
    private volatile @Nullable ApiFuture<?> pull;

    PubSubQueue(GcpClients clients, String subscription, Duration ackDeadline) {
        this.clients = clients;
        this.subscription = subscription;
        this.ackDeadline = ackDeadline;
    }

    @Override
    public String name() {
        return "the Pub/Sub subscription " + subscription;
    }

    @Override
    public int batchMax() {
        return BATCH_MAX;
    }

    @Override
    public Duration lease() {
        return ackDeadline;
    }

    /** What comes is kept for {@link #lease} at once, whatever the subscription's own deadline is. */
    @Override
    public Uni<List<LeasedMessage>> receive(int countMax) {
        PullRequest request = PullRequest.newBuilder()
                .setSubscription(subscription)
                .setMaxMessages(countMax)
                .build();
        return clients.subscriber(stub -> pulling(stub.pullCallable().futureCall(request)))
                .map(answer -> answer.getReceivedMessagesList().stream()
                        .map(PubSubQueue::leased)
                        .toList())
                .onFailure(DeadlineExceededException.class)
                .recoverWithItem(List.of())
                .call(messages -> messages.isEmpty()
                        ? Uni.createFrom().voidItem()
                        : extend(messages.stream().map(LeasedMessage::lease).toList())
                                .onFailure()
                                .recoverWithNull());
    }

    @Override
    public Uni<Void> acknowledge(List<String> leases) {
        AcknowledgeRequest request = AcknowledgeRequest.newBuilder()
                .setSubscription(subscription)
                .addAllAckIds(leases)
                .build();
        return clients.subscriber(stub -> stub.acknowledgeCallable().futureCall(request))
                .replaceWithVoid();
    }

    @Override
    public Uni<Void> extend(List<String> leases) {
        return deadline(leases, (int) ackDeadline.toSeconds());
    }

    @Override
    public Uni<Void> giveBack(List<String> leases) {
        return deadline(leases, 0);
    }

    @Override
    public String explain(Throwable failure) {
        return GcpFailure.of(failure).sentence(subscription, "flagtally.broker.subscribe-to");
    }

    /** Takes back the call that waits for messages, so that none is lent to nobody. */
    @Override
    public CompletionStage<Void> close() {
        ApiFuture<?> waiting = pull;
        if (waiting != null) {
            boolean unused = waiting.cancel(true);
        }
        return CompletableFuture.completedFuture(null);
    }

    private <T> ApiFuture<T> pulling(ApiFuture<T> called) {
        pull = called;
        return called;
    }

    private Uni<Void> deadline(List<String> leases, int seconds) {
        ModifyAckDeadlineRequest request = ModifyAckDeadlineRequest.newBuilder()
                .setSubscription(subscription)
                .addAllAckIds(leases)
                .setAckDeadlineSeconds(seconds)
                .build();
        return clients.subscriber(stub -> stub.modifyAckDeadlineCallable().futureCall(request))
                .replaceWithVoid();
    }

    private static LeasedMessage leased(ReceivedMessage received) {
        PubsubMessage message = received.getMessage();
        return new LeasedMessage(
                received.getAckId(),
                message.getData().toByteArray(),
                Map.copyOf(message.getAttributesMap()),
                received.getDeliveryAttempt() > 1);
    }
}
