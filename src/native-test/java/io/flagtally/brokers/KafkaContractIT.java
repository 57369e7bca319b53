package io.flagtally.brokers;

/** The contract of brokers against Apache Kafka. */
class KafkaContractIT extends BrokerContract {

    @Override
    protected BrokerForTests newBroker() {
        return new KafkaForTests();
    }
}
