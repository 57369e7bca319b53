package io.flagtally.brokers;

class RabbitKillIT extends BrokerKillContract {

    @Override
    protected BrokerForTests newBroker() {
        return new RabbitForTests();
    }
}
