package io.flagtally.brokers;

/** The contract of brokers against a stand-in for Google Pub/Sub. */
class GcpContractIT extends OrderedBrokerContract {

    @Override
    protected BrokerForTests newBroker() {
        return new GcpForTests();
    }
}
