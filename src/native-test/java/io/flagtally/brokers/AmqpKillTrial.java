package io.flagtally.brokers;

/** Kills while events go through Artemis. Not in every build, for its time: {@code -Dit.test=AmqpKillTrial} runs it. */
class AmqpKillTrial extends BrokerKillContract {

    @Override
    protected BrokerForTests newBroker() {
        return new ArtemisForTests();
    }
}
