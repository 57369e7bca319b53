package io.flagtally.broker.gcp;

import io.flagtally.platform.BrokerState;
import io.flagtally.platform.config.BrokerConfig;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.util.Optional;
import java.util.OptionalLong;

/** What Pub/Sub says of itself; how much waits, it tells Cloud Monitoring only. */
@ApplicationScoped
class GcpState implements BrokerState {

    private final BrokerConfig broker;
    private final GcpNames names;
    private final GcpLook look;

    @Inject
    GcpState(BrokerConfig broker, GcpConfig config, GcpClients clients) {
        this.broker = broker;
        this.names = new GcpNames(config);
        this.look = new GcpLook(clients);
    }

    @Override
    public String connector() {
        return GcpConnector.NAME;
    }

    @Override
    public String name() {
        return "Google Pub/Sub";
    }

    @Override
    public OptionalLong lag() {
        return OptionalLong.empty();
    }

    @Override
    public Optional<String> cannotPublish() {
        String topic = names.topic(broker.publishTo());
        return look.topic(topic, GcpLook.PATIENCE)
                .map(failure -> failure.sentence(topic, "flagtally.broker.publish-to"));
    }

    @Override
    public Optional<String> cannotConsume() {
        String subscription = names.subscription(broker.subscribeTo());
        return look.subscription(subscription, false, GcpLook.PATIENCE)
                .map(failure -> failure.sentence(subscription, "flagtally.broker.subscribe-to"));
    }
}
