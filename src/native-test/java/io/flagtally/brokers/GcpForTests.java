package io.flagtally.brokers;

import com.google.protobuf.ByteString;
import com.google.pubsub.v1.PubsubMessage;
import io.flagtally.testing.PubSubForTests;
import java.util.List;
import java.util.Map;

/** A stand-in for Google Pub/Sub with the topics and subscriptions of the contract. */
final class GcpForTests implements BrokerForTests {

    /** What the service asks for at once. */
    private static final int PULL_MAX = 20;

    private static final int ATTEMPTS_MAX = 100;

    private final PubSubForTests pubSub = new PubSubForTests(true)
            .orderedTopic(EVENTS, GROUP, SECOND_GROUP)
            .topic(DEAD_LETTERS, DEAD_LETTERS)
            .topic("undeliverable", "undeliverable")
            .deadLetters(GROUP, ATTEMPTS_MAX, "undeliverable");

    @Override
    public String name() {
        return "a stand-in for Google Pub/Sub";
    }

    @Override
    public String profile() {
        return "gcp";
    }

    @Override
    public int port() {
        return pubSub.port();
    }

    @Override
    public void start(int reachedAt) {
        restart();
    }

    @Override
    public void stop() {
        pubSub.stop();
    }

    @Override
    public void kill() {
        pubSub.stop();
    }

    @Override
    public void restart() {
        var unused = pubSub.start();
    }

    @Override
    public Map<String, String> settings(int port) {
        return Map.of(
                "flagtally.broker.gcp.project",
                PubSubForTests.PROJECT,
                "flagtally.broker.gcp.emulator-host",
                "127.0.0.1:" + port,
                "flagtally.broker.gcp.ack-deadline",
                "2S",
                "flagtally.broker.subscribe-to",
                GROUP);
    }

    @Override
    public void publish(Raw message, int times) {
        PubsubMessage sent = PubsubMessage.newBuilder()
                .setData(ByteString.copyFrom(message.payload()))
                .putAllAttributes(message.headers())
                .build();
        for (int i = 0; i < times; i++) {
            pubSub.publish(EVENTS, sent);
        }
    }

    @Override
    public long backlog() {
        return pubSub.backlog(GROUP);
    }

    @Override
    public long held(BrokeredService service) {
        return pubSub.lent(GROUP);
    }

    /** What one pull brings lies ready, and one more may be on its way. */
    @Override
    public int heldMax(int inPipeline) {
        return inPipeline + 2 * PULL_MAX;
    }

    @Override
    public List<Raw> read(String place, String group) {
        return pubSub.take(place.equals(EVENTS) ? group : place).stream()
                .map(message -> new Raw(message.getData().toByteArray(), message.getAttributesMap()))
                .toList();
    }

    @Override
    public boolean tellsRedelivery() {
        return true;
    }

    @Override
    public void close() {
        pubSub.close();
    }
}
