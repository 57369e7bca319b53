package io.flagtally.brokers;

import io.flagtally.testing.ServiceBusForTests;
import io.flagtally.testing.ServiceBusForTests.Kept;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** A stand-in for Azure Service Bus with the topic, the subscriptions and the queue of the contract. */
final class AzureForTests implements BrokerForTests {

    /** As the service has it by default. */
    private static final int PREFETCH = 100;

    private static final Duration LOCK = Duration.ofSeconds(3);
    private static final String SUBSCRIPTION = ServiceBusForTests.subscription(EVENTS, GROUP);

    private final ServiceBusForTests serviceBus = new ServiceBusForTests(true, LOCK)
            .topic(EVENTS, GROUP, SECOND_GROUP)
            .queue(DEAD_LETTERS);

    @Override
    public String name() {
        return "a stand-in for Azure Service Bus";
    }

    @Override
    public String profile() {
        return "azure";
    }

    @Override
    public int port() {
        return serviceBus.port();
    }

    @Override
    public void start(int reachedAt) {
        restart();
    }

    @Override
    public void stop() {
        serviceBus.stop();
    }

    @Override
    public void kill() {
        serviceBus.stop();
    }

    @Override
    public void restart() {
        var unused = serviceBus.start();
    }

    @Override
    public Map<String, String> settings(int port) {
        return Map.of(
                "flagtally.broker.azure.connection-string",
                ServiceBusForTests.connectionString(port, ServiceBusForTests.KEY),
                "flagtally.broker.azure.lock-duration",
                LOCK.toString(),
                "flagtally.broker.subscribe-to",
                SUBSCRIPTION);
    }

    @Override
    public void publish(Raw message, int times) {
        for (int i = 0; i < times; i++) {
            serviceBus.publish(EVENTS, new Kept(message.payload(), message.headers()));
        }
    }

    @Override
    public long backlog() {
        return serviceBus.backlog(SUBSCRIPTION);
    }

    @Override
    public long held(BrokeredService service) {
        return serviceBus.lent(SUBSCRIPTION);
    }

    @Override
    public int heldMax(int inPipeline) {
        return PREFETCH;
    }

    @Override
    public List<Raw> read(String place, String group) {
        String entity = place.equals(EVENTS) ? ServiceBusForTests.subscription(EVENTS, group) : place;
        return serviceBus.take(entity).stream()
                .map(message -> new Raw(message.payload(), message.headers()))
                .toList();
    }

    @Override
    public boolean tellsRedelivery() {
        return true;
    }

    @Override
    public void close() {
        serviceBus.close();
    }
}
