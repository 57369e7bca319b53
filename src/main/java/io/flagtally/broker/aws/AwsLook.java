package io.flagtally.broker.aws;

import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import software.amazon.awssdk.services.sqs.model.GetQueueAttributesResponse;
import software.amazon.awssdk.services.sqs.model.QueueAttributeName;

/** Looks at topics and queues. Blocks, for some seconds at most. */
final class AwsLook {

    /** Of one look. */
    static final Duration PATIENCE = Duration.ofSeconds(5);

    private final AwsClients clients;

    AwsLook(AwsClients clients) {
        this.clients = clients;
    }

    /** Why {@code address} cannot be used; empty if it can. */
    Optional<AwsFailure> failure(AwsAddress address) {
        return failure(address, PATIENCE);
    }

    /** As {@link #failure(AwsAddress)}, within {@code patience}. */
    Optional<AwsFailure> failure(AwsAddress address, Duration patience) {
        try {
            Uni<?> look = address.kind() == AwsAddress.Kind.TOPIC
                    ? Uni.createFrom()
                            .completionStage(() -> clients.sns().getTopicAttributes(r -> r.topicArn(address.name())))
                    : attributes(address);
            Object unused = look.await().atMost(patience);
            return Optional.empty();
        } catch (RuntimeException e) {
            return Optional.of(AwsFailure.of(e));
        }
    }

    /** Messages in {@code queue}, those being worked on included, as far as SQS knows; empty if it is away. */
    OptionalLong waiting(AwsAddress queue) {
        try {
            var counts = attributes(queue).await().atMost(PATIENCE).attributes();
            return OptionalLong.of(number(counts.get(QueueAttributeName.APPROXIMATE_NUMBER_OF_MESSAGES))
                    + number(counts.get(QueueAttributeName.APPROXIMATE_NUMBER_OF_MESSAGES_NOT_VISIBLE)));
        } catch (RuntimeException e) {
            return OptionalLong.empty();
        }
    }

    private Uni<GetQueueAttributesResponse> attributes(AwsAddress queue) {
        return clients.queueUrl(queue)
                .chain(url -> Uni.createFrom()
                        .completionStage(() -> clients.sqs()
                                .getQueueAttributes(r -> r.queueUrl(url)
                                        .attributeNames(
                                                QueueAttributeName.APPROXIMATE_NUMBER_OF_MESSAGES,
                                                QueueAttributeName.APPROXIMATE_NUMBER_OF_MESSAGES_NOT_VISIBLE))));
    }

    private static long number(@org.jspecify.annotations.Nullable String text) {
        return text == null ? 0 : Long.parseLong(text);
    }
}
