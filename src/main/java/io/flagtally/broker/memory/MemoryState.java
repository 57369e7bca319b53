package io.flagtally.broker.memory;

import io.flagtally.platform.BrokerState;
import jakarta.inject.Singleton;
import java.util.OptionalLong;

/** The in-process broker is always there, and keeps nothing that could wait. */
@Singleton
class MemoryState implements BrokerState {

    @Override
    public String connector() {
        return MemoryConnector.NAME;
    }

    @Override
    public String name() {
        return "in-process";
    }

    @Override
    public OptionalLong lag() {
        return OptionalLong.of(0);
    }
}
