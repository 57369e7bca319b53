package io.flagtally.broker;

import io.flagtally.platform.Availability;
import io.flagtally.platform.Availability.Work;
import io.flagtally.platform.BrokerState;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.arc.All;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Asks the broker in use now and then how it is, and tells readiness, the log and the gauge {@code flagtally.broker.lag},
 * which is not a number while the broker does not tell.
 */
@Singleton
class BrokerWatch {

    private static final Logger LOG = Logger.getLogger(BrokerWatch.class);
    static final String BROKER = "broker";

    private final List<BrokerState> states;
    private final Channels channels;
    private final Availability availability;
    private volatile double lag = Double.NaN;
    private @Nullable String told;

    @Inject
    BrokerWatch(@All List<BrokerState> states, Channels channels, Availability availability, MeterRegistry meters) {
        this.channels = channels;
        this.availability = availability;
        this.states = states;
        Gauge.builder("flagtally.broker.lag", this, watch -> watch.lag)
                .baseUnit("messages")
                .register(meters);
    }

    /** Runs on a worker thread. */
    @Scheduled(identity = "broker", every = "5s", concurrentExecution = ConcurrentExecution.SKIP)
    void ask() {
        in(channels.outgoing(Channels.EVENTS_OUT))
                .or(() -> in(channels.incoming(Channels.EVENTS)))
                .ifPresent(this::tell);
        lag = in(channels.incoming(Channels.EVENTS)).map(BrokerWatch::lagOf).orElse(Double.NaN);
    }

    private Optional<BrokerState> in(String connector) {
        return states.stream()
                .filter(state -> state.connector().equals(connector))
                .findFirst();
    }

    private static double lagOf(BrokerState state) {
        try {
            OptionalLong waiting = state.lag();
            return waiting.isPresent() ? waiting.getAsLong() : Double.NaN;
        } catch (RuntimeException e) {
            LOG.debugf(e, "%s did not tell its lag", state.name());
            return Double.NaN;
        }
    }

    private void tell(BrokerState state) {
        String missing = missing(state);
        if (missing != null) {
            availability.lost(Work.ACCEPT, BROKER, missing);
            if (told == null) {
                LOG.warn(missing);
            }
        } else {
            availability.regained(Work.ACCEPT, BROKER);
            if (told != null) {
                LOG.infof("%s is back", state.name());
            }
        }
        told = missing;
    }

    private static @Nullable String missing(BrokerState state) {
        try {
            return state.missing().orElse(null);
        } catch (RuntimeException e) {
            return state.name() + " cannot be asked how it is: " + e;
        }
    }
}
