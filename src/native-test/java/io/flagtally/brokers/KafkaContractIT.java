package io.flagtally.brokers;

import io.flagtally.testing.ChildServer;

/** The contract of brokers against Apache Kafka. */
class KafkaContractIT extends OrderedBrokerContract {

    @Override
    protected BrokerForTests newBroker() {
        return new KafkaForTests(ChildServer.STARTS_QUICKLY);
    }
}
