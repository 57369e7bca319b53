package io.flagtally.brokers;

/** The contract of brokers against a stand-in for Google Pub/Sub. */
class GcpContractIT extends BrokerContract {

    @Override
    protected BrokerForTests newBroker() {
        return new GcpForTests();
    }
}
