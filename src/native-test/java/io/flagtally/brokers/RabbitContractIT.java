package io.flagtally.brokers;

import org.junit.jupiter.api.Tag;

/** The contract of brokers against RabbitMQ. */
@Tag("installed-servers")
class RabbitContractIT extends OrderedBrokerContract {

    @Override
    protected BrokerForTests newBroker() {
        return new RabbitForTests();
    }
}
