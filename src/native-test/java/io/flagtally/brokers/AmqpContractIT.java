package io.flagtally.brokers;

/** The contract of brokers against Apache Artemis, over AMQP 1.0. */
class AmqpContractIT extends OrderedBrokerContract {

    @Override
    protected BrokerForTests newBroker() {
        return new ArtemisForTests();
    }
}
