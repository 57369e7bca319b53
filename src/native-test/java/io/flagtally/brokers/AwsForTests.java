package io.flagtally.brokers;

import io.flagtally.testing.ElasticMqServerForTests;
import io.flagtally.testing.SnsForTests;
import io.flagtally.testing.SnsForTests.Subscription;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.sqs.SqsAsyncClient;
import software.amazon.awssdk.services.sqs.model.DeleteMessageBatchRequestEntry;
import software.amazon.awssdk.services.sqs.model.Message;
import software.amazon.awssdk.services.sqs.model.MessageAttributeValue;
import software.amazon.awssdk.services.sqs.model.QueueAttributeName;
import software.amazon.awssdk.services.sqs.model.SendMessageBatchRequestEntry;

/** A topic of a stand-in for SNS with two queues of ElasticMQ, and a queue for dead letters. */
final class AwsForTests implements BrokerForTests {

    private static final int BATCH = 10;

    private final ElasticMqServerForTests sqs = ElasticMqServerForTests.with(GROUP, SECOND_GROUP, DEAD_LETTERS);
    private final SnsForTests sns;
    private @Nullable SqsAsyncClient client;

    /** @param raw whether the service's queue gets messages as they are, and not in SNS' envelope */
    AwsForTests(boolean raw) {
        sns = new SnsForTests(sqs, new Subscription(GROUP, raw), new Subscription(SECOND_GROUP, true));
    }

    @Override
    public String name() {
        return "ElasticMQ " + ElasticMqServerForTests.VERSION + " for SQS, a stand-in for SNS";
    }

    @Override
    public String profile() {
        return "aws";
    }

    @Override
    public int port() {
        return sqs.port();
    }

    @Override
    public void start(int reachedAt) {
        client = sqs.newClient();
        restart();
    }

    @Override
    public void stop() {
        sns.stop();
        sqs.stop();
    }

    @Override
    public void kill() {
        sns.stop();
        sqs.kill();
    }

    @Override
    public void restart() {
        sqs.start();
        var unused = sns.start();
    }

    @Override
    public Map<String, String> settings(int port) {
        return Map.of(
                "flagtally.broker.aws.region",
                ElasticMqServerForTests.REGION,
                "flagtally.broker.aws.sqs-endpoint",
                "http://127.0.0.1:" + port,
                "flagtally.broker.aws.sns-endpoint",
                sns.uri(),
                "flagtally.broker.aws.visibility",
                "3S",
                "flagtally.broker.publish-to",
                SnsForTests.TOPIC,
                "flagtally.broker.subscribe-to",
                GROUP,
                "aws.accessKeyId",
                "contract",
                "aws.secretAccessKey",
                "secret");
    }

    @Override
    public void publish(Raw message, int times) {
        for (int from = 0; from < times; from += BATCH) {
            List<SendMessageBatchRequestEntry> entries = IntStream.range(from, Math.min(times, from + BATCH))
                    .mapToObj(i -> SendMessageBatchRequestEntry.builder()
                            .id(String.valueOf(i))
                            .messageBody(new String(message.payload(), StandardCharsets.UTF_8))
                            .messageAttributes(attributes(message))
                            .build())
                    .toList();
            CompletableFuture.allOf(send(GROUP, entries), send(SECOND_GROUP, entries))
                    .join();
        }
    }

    @Override
    public long backlog() {
        return counted(
                QueueAttributeName.APPROXIMATE_NUMBER_OF_MESSAGES,
                QueueAttributeName.APPROXIMATE_NUMBER_OF_MESSAGES_NOT_VISIBLE);
    }

    @Override
    public long held(BrokeredService service) {
        return counted(QueueAttributeName.APPROXIMATE_NUMBER_OF_MESSAGES_NOT_VISIBLE);
    }

    /** A batch lies ready, and one more may be on its way. */
    @Override
    public int heldMax(int inPipeline) {
        return inPipeline + 2 * BATCH;
    }

    @Override
    public List<Raw> read(String place, String group) {
        String queue = place.equals(EVENTS) ? group : place;
        List<Raw> messages = new ArrayList<>();
        for (List<Message> taken = take(queue); !taken.isEmpty(); taken = take(queue)) {
            taken.forEach(message -> messages.add(raw(message)));
        }
        return messages;
    }

    /** Takes some of the messages that wait in a queue, and acknowledges them. */
    List<Message> take(String queue) {
        List<Message> received = client().receiveMessage(request -> request.queueUrl(sqs.queueUrl(queue))
                        .maxNumberOfMessages(BATCH)
                        .messageAttributeNames("All"))
                .join()
                .messages();
        if (!received.isEmpty()) {
            List<DeleteMessageBatchRequestEntry> done = received.stream()
                    .map(message -> DeleteMessageBatchRequestEntry.builder()
                            .id(message.messageId())
                            .receiptHandle(message.receiptHandle())
                            .build())
                    .toList();
            Object unused = client().deleteMessageBatch(
                            request -> request.queueUrl(sqs.queueUrl(queue)).entries(done))
                    .join();
        }
        return received;
    }

    @Override
    public boolean tellsRedelivery() {
        return true;
    }

    @Override
    public void close() {
        sns.close();
        sqs.close();
        if (client != null) {
            client.close();
        }
    }

    private long counted(QueueAttributeName... attributes) {
        return client()
                .getQueueAttributes(
                        request -> request.queueUrl(sqs.queueUrl(GROUP)).attributeNames(attributes))
                .join()
                .attributes()
                .values()
                .stream()
                .mapToLong(Long::parseLong)
                .sum();
    }

    private CompletableFuture<?> send(String queue, List<SendMessageBatchRequestEntry> entries) {
        return client().sendMessageBatch(
                        request -> request.queueUrl(sqs.queueUrl(queue)).entries(entries));
    }

    private SqsAsyncClient client() {
        SqsAsyncClient made = client;
        if (made == null) {
            throw new IllegalStateException("the broker was not started");
        }
        return made;
    }

    private static Map<String, MessageAttributeValue> attributes(Raw message) {
        return message.headers().entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey,
                        header -> MessageAttributeValue.builder()
                                .dataType("String")
                                .stringValue(header.getValue())
                                .build()));
    }

    private static Raw raw(Message message) {
        Map<String, String> headers = new HashMap<>();
        message.messageAttributes().forEach((name, value) -> headers.put(name, value.stringValue()));
        return new Raw(message.body().getBytes(StandardCharsets.UTF_8), headers);
    }
}
