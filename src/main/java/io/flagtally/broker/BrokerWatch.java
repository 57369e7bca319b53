package io.flagtally.broker;

import io.flagtally.platform.Availability;
import io.flagtally.platform.Availability.Work;
import io.flagtally.platform.BrokerInUse;
import io.flagtally.platform.BrokerInUse.Said;
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
 * Asks the broker in use now and then how it is, and tells readiness, the log, whoever shows it to people, and the gauge
 * {@code flagtally.broker.lag}, which is not a number while the broker does not tell.
 */
@Singleton
class BrokerWatch {

    private static final Logger LOG = Logger.getLogger(BrokerWatch.class);
    static final String BROKER = "broker";

    private final List<BrokerState> states;
    private final Channels channels;
    private final Availability availability;
    private final BrokerInUse broker;
    private volatile double lag = Double.NaN;
    private @Nullable String told;

    @Inject
    BrokerWatch(
            @All List<BrokerState> states,
            Channels channels,
            Availability availability,
            BrokerInUse broker,
            MeterRegistry meters) {
        this.broker = broker;
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
        Optional<BrokerState> reading = in(channels.incoming(Channels.EVENTS));
        OptionalLong waiting = reading.map(BrokerWatch::lagOf).orElse(OptionalLong.empty());
        lag = waiting.isPresent() ? waiting.getAsLong() : Double.NaN;
        in(channels.outgoing(Channels.EVENTS_OUT)).or(() -> reading).ifPresent(state -> {
            String missing = missing(state);
            tell(state, missing);
            broker.says(new Said(state.name(), waiting, Optional.ofNullable(missing)));
        });
    }

    private Optional<BrokerState> in(String connector) {
        return states.stream()
                .filter(state -> state.connector().equals(connector))
                .findFirst();
    }

    private static OptionalLong lagOf(BrokerState state) {
        try {
            return state.lag();
        } catch (RuntimeException e) {
            LOG.debugf(e, "%s did not tell its lag", state.name());
            return OptionalLong.empty();
        }
    }

    private void tell(BrokerState state, @Nullable String missing) {
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
