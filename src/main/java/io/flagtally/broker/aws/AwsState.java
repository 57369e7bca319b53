package io.flagtally.broker.aws;

import io.flagtally.platform.BrokerState;
import io.flagtally.platform.config.BrokerConfig;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.util.Optional;
import java.util.OptionalLong;

/** What SNS and SQS say of themselves. */
@ApplicationScoped
class AwsState implements BrokerState {

    private final BrokerConfig config;
    private final AwsLook look;

    @Inject
    AwsState(BrokerConfig config, AwsClients clients) {
        this.config = config;
        this.look = new AwsLook(clients);
    }

    @Override
    public String connector() {
        return AwsConnector.NAME;
    }

    @Override
    public String name() {
        return "Amazon SNS and SQS";
    }

    @Override
    public OptionalLong lag() {
        return look.waiting(AwsAddress.of(config.subscribeTo()));
    }

    @Override
    public Optional<String> cannotPublish() {
        return fault(config.publishTo(), "flagtally.broker.publish-to");
    }

    @Override
    public Optional<String> cannotConsume() {
        return fault(config.subscribeTo(), "flagtally.broker.subscribe-to");
    }

    private Optional<String> fault(String place, String key) {
        AwsAddress address = AwsAddress.of(place);
        return look.failure(address).map(failure -> failure.sentence(address, key));
    }
}
