package io.flagtally.brokers;

class KafkaKillIT extends BrokerKillContract {

    @Override
    protected BrokerForTests newBroker() {
        return new KafkaForTests();
    }
}
