package io.flagtally.brokers;

/** The contract of brokers against a stand-in for Azure Service Bus. */
class AzureContractIT extends BrokerContract {

    @Override
    protected BrokerForTests newBroker() {
        return new AzureForTests();
    }
}
