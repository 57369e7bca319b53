package io.flagtally.brokers;

class RedisStreamsContractIT extends BrokerContract {

    @Override
    protected BrokerForTests newBroker() {
        return new RedisStreamsForTests();
    }
}
