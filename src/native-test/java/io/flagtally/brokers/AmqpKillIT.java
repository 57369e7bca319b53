package io.flagtally.brokers;

class AmqpKillIT extends BrokerKillContract {

    @Override
    protected BrokerForTests newBroker() {
        return new ArtemisForTests();
    }
}
