package io.flagtally.brokers;

class RedisStreamsContractIT extends OrderedBrokerContract {

    @Override
    protected BrokerForTests newBroker() {
        return new RedisStreamsForTests();
    }
}
