package io.flagtally.broker;

import io.flagtally.platform.Availability;
import io.flagtally.platform.Availability.Work;
import io.flagtally.platform.config.BrokerConfig;
import io.quarkus.arc.All;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.config.SmallRyeConfig;
import jakarta.annotation.Priority;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import jakarta.interceptor.Interceptor;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.StreamSupport;
import org.eclipse.microprofile.config.spi.ConfigSource;
import org.jboss.logging.Logger;

/** Looks at the chosen broker before anything else is begun. */
@Singleton
class BrokerStart {

    private static final Logger LOG = Logger.getLogger(BrokerStart.class);
    private static final Set<String> BUILT_IN = Set.of("prod", "dev", "test");

    /** Before the channels open and the stores are asked, so that a start that is refused has begun nothing. */
    private static final int FIRST = Interceptor.Priority.PLATFORM_BEFORE + 50;

    private final Channels channels;
    private final BrokerConfig broker;
    private final Optional<String> mirrorTo;
    private final List<ConfigSource> sources;
    private final List<String> profiles;
    private final Availability availability;
    private final List<BrokerCheck> checks;

    @Inject
    BrokerStart(
            Channels channels,
            BrokerConfig broker,
            SmallRyeConfig config,
            Availability availability,
            @All List<BrokerCheck> checks) {
        this.channels = channels;
        this.broker = broker;
        this.mirrorTo =
                config.getOptionalValue(BrokerPlace.MIRROR_TO, String.class).filter(to -> !to.isBlank());
        this.sources = StreamSupport.stream(config.getConfigSources().spliterator(), false)
                .toList();
        this.profiles = config.getProfiles();
        this.availability = availability;
        this.checks = checks;
    }

    /** What can never work ends the start with its sentence alone. */
    void look(@Observes @Priority(FIRST) StartupEvent starting) {
        try {
            look();
        } catch (BrokerStartException e) {
            LOG.debug("The broker was looked at", e);
            throw new ConfigurationException(String.valueOf(e.getMessage()));
        }
    }

    /** @throws BrokerStartException if this can never work as it is configured */
    void look() {
        requireProfiles();
        requireBothEndsInProcess();
        requirePlaceOfDeadLetters();
        requireOrderThatCanBe();
        requireMirrorThatSends();
        if (!channels.outgoing(Channels.EVENTS_OUT).equals(Channels.IN_PROCESS)) {
            availability.brokerKeepsEvents();
        }
        Set<String> connectors = new TreeSet<>();
        connectors.add(channels.incoming(Channels.EVENTS));
        Channels.OUTGOING.forEach(channel -> connectors.add(channels.outgoing(channel)));
        connectors.forEach(this::look);
    }

    /** A profile that nobody knows would silently be the in-process broker. */
    private void requireProfiles() {
        for (String profile : profiles) {
            if (!BUILT_IN.contains(profile) && sources.stream().noneMatch(source -> speaksOf(profile, source))) {
                throw new BrokerStartException("There is no profile " + profile
                        + ": no section \"%" + profile
                        + "\" stands in application.yaml; set quarkus.profile to the name"
                        + " of a broker, or leave it out for the in-process one.");
            }
        }
    }

    private static boolean speaksOf(String profile, ConfigSource source) {
        return source.getName().contains("application-" + profile + ".")
                || source.getPropertyNames().stream().anyMatch(name -> name.startsWith("%" + profile + "."));
    }

    private void requireBothEndsInProcess() {
        boolean in = channels.incoming(Channels.EVENTS).equals(Channels.IN_PROCESS);
        boolean out = channels.outgoing(Channels.EVENTS_OUT).equals(Channels.IN_PROCESS);
        if (in != out) {
            throw new BrokerStartException(
                    "flagtally.roles has " + (out ? "ingest without consume" : "consume without" + " ingest")
                            + ", but in process events cannot go to or come from another process; name both roles,"
                            + " or choose a broker with quarkus.profile.");
        }
    }

    private void requirePlaceOfDeadLetters() {
        boolean consumes = !channels.incoming(Channels.EVENTS).equals(IdleConnector.NAME);
        boolean idle = channels.outgoing(Channels.DEAD_LETTERS_OUT).equals(IdleConnector.NAME);
        if (consumes && idle && broker.deadLetterTo().isPresent()) {
            throw new BrokerStartException("flagtally.broker.dead-letter-to is set, but the broker in process has no"
                    + " such place (dead letters are in PostgreSQL); remove the key, or choose a broker with"
                    + " quarkus.profile.");
        }
    }

    /** A mirror without a connector would drop every event. */
    private void requireMirrorThatSends() {
        boolean ingests = !channels.outgoing(Channels.EVENTS_OUT).equals(IdleConnector.NAME);
        if (ingests
                && mirrorTo.isPresent()
                && channels.outgoing(Channels.MIRROR_OUT).equals(IdleConnector.NAME)) {
            throw new BrokerStartException(
                    BrokerPlace.MIRROR_TO + " is set, but nothing would send there; choose a broker with"
                            + " quarkus.profile, or set mp.messaging.outgoing.mirror-out.connector and the keys of that"
                            + " connector.");
        }
    }

    private void requireOrderThatCanBe() {
        String connector = channels.outgoing(Channels.EVENTS_OUT);
        if (!broker.ordered() || connector.equals(IdleConnector.NAME)) {
            return;
        }
        if (broker.key() == BrokerConfig.Key.NONE) {
            throw new BrokerStartException(
                    "flagtally.broker.ordered is true, but flagtally.broker.key is none, so there is"
                            + " nothing whose order could be kept; set the key to user, or ordered to false.");
        }
        String place = broker.publishTo();
        if (!channels.carrier(connector)
                .map(carrier -> carrier.keepsOrder(place))
                .orElse(false)) {
            throw new BrokerStartException("flagtally.broker.ordered is true, but " + place + " over " + connector
                    + " keeps no order (of SNS and SQS, what ends in .fifo does); set ordered to false, which the counts"
                    + " do not need, or choose a broker that keeps it.");
        }
    }

    /** @throws BrokerStartException if {@code connector} can never work as it is configured */
    private void look(String connector) {
        channels.carrier(connector);
        for (BrokerCheck check : checks) {
            if (check.connector().equals(connector)) {
                check.check(place(connector)).ifPresent(away -> {
                    if (channels.outgoing(Channels.EVENTS_OUT).equals(connector)) {
                        availability.lost(Work.ACCEPT, BrokerWatch.BROKER, away);
                    }
                    if (channels.incoming(Channels.EVENTS).equals(connector)) {
                        availability.lost(Work.CONSUME, BrokerWatch.BROKER, away);
                    }
                    LOG.warnf("%s; the service starts and waits for it", away);
                });
            }
        }
    }

    private BrokerPlace place(String connector) {
        return new BrokerPlace(
                used(channels.outgoing(Channels.EVENTS_OUT), connector, broker.publishTo()),
                used(channels.incoming(Channels.EVENTS), connector, broker.subscribeTo()),
                used(channels.incoming(Channels.EVENTS), connector, broker.consumerGroup()),
                broker.deadLetterTo().flatMap(to -> used(channels.outgoing(Channels.DEAD_LETTERS_OUT), connector, to)),
                mirrorTo.flatMap(to -> used(channels.outgoing(Channels.MIRROR_OUT), connector, to)));
    }

    private static Optional<String> used(String byConnector, String connector, String place) {
        return byConnector.equals(connector) ? Optional.of(place) : Optional.empty();
    }
}
