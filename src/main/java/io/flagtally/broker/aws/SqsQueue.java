package io.flagtally.broker.aws;

import io.flagtally.broker.LeasedMessage;
import io.flagtally.broker.LeasedQueue;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.sqs.model.BatchResultErrorEntry;
import software.amazon.awssdk.services.sqs.model.ChangeMessageVisibilityBatchRequestEntry;
import software.amazon.awssdk.services.sqs.model.DeleteMessageBatchRequestEntry;
import software.amazon.awssdk.services.sqs.model.Message;
import software.amazon.awssdk.services.sqs.model.MessageSystemAttributeName;
import software.amazon.awssdk.services.sqs.model.ReceiveMessageResponse;

/** A queue of SQS. One call is about ten messages at most; SQS extends no lease beyond twelve hours. */
final class SqsQueue implements LeasedQueue {

    private static final int BATCH_MAX = 10;
    private static final int WAIT_SECONDS = 20;

    private final AwsClients clients;
    private final AwsAddress address;
    private final Duration visibility;
    private volatile @Nullable String url;
    private volatile @Nullable CompletableFuture<ReceiveMessageResponse> receiving;

    SqsQueue(AwsClients clients, AwsAddress address, Duration visibility) {
        this.clients = clients;
        this.address = address;
        this.visibility = visibility;
    }

    @Override
    public String name() {
        return address.toString();
    }

    @Override
    public int batchMax() {
        return BATCH_MAX;
    }

    @Override
    public Duration lease() {
        return visibility;
    }

    @Override
    public Uni<List<LeasedMessage>> receive(int countMax) {
        return withUrl(queue -> receive(queue, countMax))
                .map(answer -> answer.messages().stream().map(SqsQueue::leased).toList());
    }

    @Override
    public Uni<Void> acknowledge(List<String> leases) {
        List<DeleteMessageBatchRequestEntry> entries = numbered(
                leases,
                (id, lease) -> DeleteMessageBatchRequestEntry.builder()
                        .id(id)
                        .receiptHandle(lease)
                        .build());
        return withUrl(queue -> clients.sqs()
                        .deleteMessageBatch(request -> request.queueUrl(queue).entries(entries)))
                .invoke(answer -> requireAll(answer.failed()))
                .replaceWithVoid();
    }

    @Override
    public Uni<Void> extend(List<String> leases) {
        return changeVisibility(leases, (int) visibility.toSeconds());
    }

    @Override
    public Uni<Void> giveBack(List<String> leases) {
        return changeVisibility(leases, 0);
    }

    @Override
    public String explain(Throwable failure) {
        return AwsFailure.of(failure).sentence(address, "flagtally.broker.subscribe-to");
    }

    /** Ends the waiting for messages. The clients are others' too. */
    @Override
    public CompletionStage<Void> close() {
        CompletableFuture<ReceiveMessageResponse> ended = receiving;
        if (ended != null) {
            ended.cancel(true);
        }
        return CompletableFuture.completedFuture(null);
    }

    private CompletableFuture<ReceiveMessageResponse> receive(String queue, int countMax) {
        CompletableFuture<ReceiveMessageResponse> begun = clients.sqs()
                .receiveMessage(request -> request.queueUrl(queue)
                        .maxNumberOfMessages(countMax)
                        .waitTimeSeconds(WAIT_SECONDS)
                        .visibilityTimeout((int) visibility.toSeconds())
                        .messageAttributeNames("All")
                        .messageSystemAttributeNames(MessageSystemAttributeName.APPROXIMATE_RECEIVE_COUNT));
        receiving = begun;
        return begun;
    }

    private Uni<Void> changeVisibility(List<String> leases, int seconds) {
        List<ChangeMessageVisibilityBatchRequestEntry> entries = numbered(
                leases,
                (id, lease) -> ChangeMessageVisibilityBatchRequestEntry.builder()
                        .id(id)
                        .receiptHandle(lease)
                        .visibilityTimeout(seconds)
                        .build());
        return withUrl(queue -> clients.sqs()
                        .changeMessageVisibilityBatch(
                                request -> request.queueUrl(queue).entries(entries)))
                .replaceWithVoid();
    }

    private <T> Uni<T> withUrl(Function<String, CompletionStage<T>> call) {
        String known = url;
        Uni<String> queue = known == null
                ? clients.queueUrl(address).invoke(found -> url = found)
                : Uni.createFrom().item(known);
        return queue.chain(found -> Uni.createFrom().completionStage(() -> call.apply(found)))
                .onFailure(CompletionException.class)
                .transform(Throwable::getCause);
    }

    private static LeasedMessage leased(Message message) {
        Map<String, String> headers = new HashMap<>();
        message.messageAttributes().forEach((name, value) -> {
            if (value.stringValue() != null) {
                headers.put(name, value.stringValue());
            }
        });
        String body = message.body() == null ? "" : message.body();
        AwsText own = new AwsText(body, headers);
        AwsText text = headers.isEmpty() ? SnsEnvelope.open(body).orElse(own) : own;
        String received = message.attributes().getOrDefault(MessageSystemAttributeName.APPROXIMATE_RECEIVE_COUNT, "1");
        return new LeasedMessage(message.receiptHandle(), text.payload(), text.headers(), !received.equals("1"));
    }

    private static <E> List<E> numbered(List<String> leases, java.util.function.BiFunction<String, String, E> entry) {
        return java.util.stream.IntStream.range(0, leases.size())
                .mapToObj(i -> entry.apply(Integer.toString(i), leases.get(i)))
                .toList();
    }

    private static void requireAll(List<BatchResultErrorEntry> failed) {
        Optional<BatchResultErrorEntry> first = failed.stream().findFirst();
        if (first.isPresent()) {
            throw new IllegalStateException("SQS did not delete " + failed.size() + " messages: "
                    + first.get().code() + " " + first.get().message());
        }
    }
}
