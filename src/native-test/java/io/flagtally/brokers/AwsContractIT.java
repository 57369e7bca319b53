package io.flagtally.brokers;

/** The contract of brokers against ElasticMQ, with events through SNS in its envelope. */
class AwsContractIT extends BrokerContract {

    @Override
    protected BrokerForTests newBroker() {
        return new AwsForTests(false);
    }
}
