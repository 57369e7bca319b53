package io.flagtally.brokers;

class RedisStreamsKillIT extends BrokerKillContract {

    @Override
    protected BrokerForTests newBroker() {
        return new RedisStreamsForTests();
    }
}
