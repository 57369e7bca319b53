package io.flagtally.broker.aws;

import io.flagtally.broker.OutgoingHeaders;
import io.smallrye.mutiny.Uni;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.stream.Collectors;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.sqs.model.MessageAttributeValue;

/**
 * Sends to a topic of SNS or a queue of SQS. In one that keeps order, messages of one key form a group; what the SDK
 * repeats there is recognised by its deduplication id, what a client repeats is recognised by the counts.
 */
final class AwsTarget {

    private static final String STRING = "String";
    private static final String NO_KEY = "flagtally";

    private final AwsClients clients;
    private final AwsAddress address;
    private volatile @Nullable String url;

    AwsTarget(AwsClients clients, AwsAddress address) {
        this.clients = clients;
        this.address = address;
    }

    /** Done when AWS has the message. */
    Uni<Void> send(Message<?> message) {
        OutgoingHeaders outgoing = message.getMetadata(OutgoingHeaders.class)
                .orElseThrow(() -> new IllegalStateException("a message without OutgoingHeaders was sent"));
        AwsText text = AwsText.of((byte[]) message.getPayload(), outgoing.headers());
        String key = outgoing.key();
        String group = address.isOrdered() ? (key == null ? NO_KEY : key) : null;
        String once = address.isOrdered() ? UUID.randomUUID().toString() : null;
        Uni<Void> sent = address.kind() == AwsAddress.Kind.TOPIC
                ? toTopic(text, group, once)
                : queueUrl().chain(queue -> toQueue(queue, text, group, once));
        return sent.onFailure(CompletionException.class).transform(Throwable::getCause);
    }

    private Uni<Void> toTopic(AwsText text, @Nullable String group, @Nullable String once) {
        Map<String, software.amazon.awssdk.services.sns.model.MessageAttributeValue> attributes =
                text.headers().entrySet().stream()
                        .collect(Collectors.toMap(
                                Map.Entry::getKey,
                                header -> software.amazon.awssdk.services.sns.model.MessageAttributeValue.builder()
                                        .dataType(STRING)
                                        .stringValue(header.getValue())
                                        .build()));
        return Uni.createFrom()
                .completionStage(() -> clients.sns()
                        .publish(request -> request.topicArn(address.name())
                                .message(text.body())
                                .messageAttributes(attributes)
                                .messageGroupId(group)
                                .messageDeduplicationId(once)))
                .replaceWithVoid();
    }

    private Uni<Void> toQueue(String queue, AwsText text, @Nullable String group, @Nullable String once) {
        Map<String, MessageAttributeValue> attributes = text.headers().entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey,
                        header -> MessageAttributeValue.builder()
                                .dataType(STRING)
                                .stringValue(header.getValue())
                                .build()));
        return Uni.createFrom()
                .completionStage(() -> clients.sqs()
                        .sendMessage(request -> request.queueUrl(queue)
                                .messageBody(text.body())
                                .messageAttributes(attributes)
                                .messageGroupId(group)
                                .messageDeduplicationId(once)))
                .replaceWithVoid();
    }

    private Uni<String> queueUrl() {
        String known = url;
        return known == null
                ? clients.queueUrl(address).invoke(found -> url = found)
                : Uni.createFrom().item(known);
    }
}
