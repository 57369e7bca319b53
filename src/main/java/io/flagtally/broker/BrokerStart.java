package io.flagtally.broker;

import io.flagtally.platform.config.BrokerConfig;
import io.quarkus.arc.All;
import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import jakarta.interceptor.Interceptor;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jboss.logging.Logger;

/** Looks at the chosen broker before the channels open. */
@Singleton
class BrokerStart {

    private static final Logger LOG = Logger.getLogger(BrokerStart.class);
    private static final int BEFORE_CHANNELS = Interceptor.Priority.LIBRARY_BEFORE - 100;

    private final Channels channels;
    private final BrokerConfig config;
    private final List<BrokerCheck> checks;

    @Inject
    BrokerStart(Channels channels, BrokerConfig config, @All List<BrokerCheck> checks) {
        this.channels = channels;
        this.config = config;
        this.checks = checks;
    }

    void look(@Observes @Priority(BEFORE_CHANNELS) StartupEvent starting) {
        Set<String> connectors = new TreeSet<>();
        connectors.add(channels.incoming(Channels.EVENTS));
        Channels.OUTGOING.forEach(channel -> connectors.add(channels.outgoing(channel)));
        connectors.forEach(this::look);
    }

    /** @throws BrokerStartException if {@code connector} can never work as it is configured */
    private void look(String connector) {
        channels.carrier(connector);
        for (BrokerCheck check : checks) {
            if (check.connector().equals(connector)) {
                check.check(place(connector))
                        .ifPresent(away -> LOG.warnf("%s; the service starts and waits for it", away));
            }
        }
    }

    private BrokerPlace place(String connector) {
        return new BrokerPlace(
                used(channels.outgoing(Channels.EVENTS_OUT), connector, config.publishTo()),
                used(channels.incoming(Channels.EVENTS), connector, config.subscribeTo()),
                used(channels.incoming(Channels.EVENTS), connector, config.consumerGroup()),
                config.deadLetterTo().flatMap(to -> used(channels.outgoing(Channels.DEAD_LETTERS_OUT), connector, to)));
    }

    private static Optional<String> used(String byConnector, String connector, String place) {
        return byConnector.equals(connector) ? Optional.of(place) : Optional.empty();
    }
}
