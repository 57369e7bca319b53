package io.flagtally.broker;

import io.flagtally.platform.Availability;
import io.flagtally.platform.Availability.Work;
import io.flagtally.platform.BrokerInUse;
import io.flagtally.platform.BrokerInUse.Said;
import io.flagtally.platform.BrokerState;
import io.flagtally.platform.BrokerState.Look;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.arc.All;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Asks the broker in use now and then how it is, and tells readiness, the log, whoever shows it to people, and the gauge
 * {@code flagtally.broker.lag}, which is not a number while the broker does not tell.
 *
 * <p>One look that fails says little: it may have been slow, or refused for its pace. So the second in a row counts, and
 * none does while the broker confirms what is sent. A broker that may lose what it confirms counts at the first look, and
 * until one finds it mended.
 */
@Singleton
class BrokerWatch {

    private static final Logger LOG = Logger.getLogger(BrokerWatch.class);
    static final String BROKER = "broker";
    private static final int FAILURES_TOLD = 2;

    private final List<BrokerState> states;
    private final Channels channels;
    private final Availability availability;
    private final BrokerInUse broker;
    private final RecentSends sends;
    private final Side publishing = new Side(Work.ACCEPT);
    private final Side consuming = new Side(Work.CONSUME);
    private volatile double lag = Double.NaN;
    private boolean told;

    @Inject
    BrokerWatch(
            @All List<BrokerState> states,
            Channels channels,
            Availability availability,
            BrokerInUse broker,
            RecentSends sends,
            MeterRegistry meters) {
        this.broker = broker;
        this.channels = channels;
        this.availability = availability;
        this.states = states;
        this.sends = sends;
        Gauge.builder("flagtally.broker.lag", this, watch -> watch.lag)
                .baseUnit("messages")
                .register(meters);
    }

    /** Runs on a worker thread. */
    @Scheduled(identity = "broker", every = "5s", concurrentExecution = ConcurrentExecution.SKIP)
    void ask() {
        Optional<BrokerState> to = in(channels.outgoing(Channels.EVENTS_OUT));
        Optional<BrokerState> from = in(channels.incoming(Channels.EVENTS));
        Map<String, Look> looks = new HashMap<>();
        to.ifPresent(state -> look(publishing, state, looks, state::cannotPublish, sends.areConfirmed()));
        from.ifPresent(state -> look(consuming, state, looks, state::cannotConsume, false));
        OptionalLong waiting = consuming.failures > 0
                ? OptionalLong.empty()
                : from.map(BrokerWatch::lagOf).orElse(OptionalLong.empty());
        lag = waiting.isPresent() ? waiting.getAsLong() : Double.NaN;
        to.or(() -> from).ifPresent(state -> {
            Optional<String> missing =
                    Optional.ofNullable(publishing.told).or(() -> Optional.ofNullable(consuming.told));
            log(state, missing);
            broker.says(new Said(state.name(), waiting, missing));
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

    private void log(BrokerState state, Optional<String> missing) {
        if (missing.isPresent() && !told) {
            LOG.warn(missing.get());
        } else if (missing.isEmpty() && told) {
            LOG.infof("%s is back", state.name());
        }
        told = missing.isPresent();
    }

    private static void look(
            Side side, BrokerState state, Map<String, Look> looks, Supplier<Optional<String>> ofSide, boolean works) {
        Look look = looks.computeIfAbsent(state.connector(), connector -> look(state));
        side.looked(look, look.unusable().or(() -> fault(state, ofSide)), works);
    }

    private static Look look(BrokerState state) {
        try {
            return state.look();
        } catch (RuntimeException e) {
            return Look.unusable(unasked(state, e));
        }
    }

    private static Optional<String> fault(BrokerState state, Supplier<Optional<String>> side) {
        try {
            return side.get();
        } catch (RuntimeException e) {
            return Optional.of(unasked(state, e));
        }
    }

    private static String unasked(BrokerState state, RuntimeException failure) {
        return state.name() + " cannot be asked how it is: " + failure;
    }

    /** What the broker is used for. */
    private final class Side {

        private final Work work;
        private int failures;
        private Optional<String> danger = Optional.empty();
        private @Nullable String told;

        Side(Work work) {
            this.work = work;
        }

        /** @param works whether a look that failed says nothing */
        void looked(Look look, Optional<String> fault, boolean works) {
            failures = fault.isEmpty() ? 0 : failures + 1;
            danger = look.unusable().isEmpty() ? look.mayLose() : danger;
            Optional<String> missing = danger.or(() -> works ? Optional.empty() : fault);
            if (missing.isEmpty()) {
                told = null;
                availability.regained(work, BROKER);
            } else if (danger.isPresent() || failures >= FAILURES_TOLD) {
                told = missing.get();
                availability.lost(work, BROKER, told);
            }
        }
    }
}
