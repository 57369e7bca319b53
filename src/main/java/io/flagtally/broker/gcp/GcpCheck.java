package io.flagtally.broker.gcp;

import io.flagtally.broker.BrokerCheck;
import io.flagtally.broker.BrokerPlace;
import io.flagtally.broker.BrokerStartException;
import io.flagtally.broker.Patience;
import io.flagtally.platform.config.BrokerConfig;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Asks Pub/Sub for the topics and the subscription that are configured, before the channels open. */
@ApplicationScoped
class GcpCheck implements BrokerCheck {

    private static final Duration DEADLINE_MIN = Duration.ofSeconds(1);
    private static final Duration DEADLINE_MAX = Duration.ofSeconds(600);

    private final GcpConfig config;
    private final BrokerConfig broker;
    private final GcpClients clients;

    @Inject
    GcpCheck(GcpConfig config, BrokerConfig broker, GcpClients clients) {
        this.config = config;
        this.broker = broker;
        this.clients = clients;
    }

    @Override
    public String connector() {
        return GcpConnector.NAME;
    }

    @Override
    public Optional<String> check(BrokerPlace place) {
        requireDeadline();
        requireSize();
        GcpNames names = new GcpNames(config);
        Optional<String> publishTo = place.publishTo().map(names::topic);
        Optional<String> deadLetterTo = place.deadLetterTo().map(names::topic);
        Optional<String> mirrorTo = place.mirrorTo().map(names::topic);
        Optional<String> subscribeTo = place.subscribeTo().map(names::subscription);
        var unused = clients.emulator();
        new GcpCredentials(config).require();
        GcpLook look = new GcpLook(clients);
        Patience patience = Patience.ofACheck();
        return Stream.<Supplier<Optional<String>>>of(
                        () -> judge(
                                "flagtally.broker.publish-to", publishTo, name -> look.topic(name, patience.left())),
                        () -> judge(
                                "flagtally.broker.dead-letter-to",
                                deadLetterTo,
                                name -> look.topic(name, patience.left())),
                        () -> judge(BrokerPlace.MIRROR_TO, mirrorTo, name -> look.topic(name, patience.left())),
                        () -> judge(
                                "flagtally.broker.subscribe-to",
                                subscribeTo,
                                name -> look.subscription(name, broker.ordered(), patience.left())))
                .flatMap(each -> each.get().stream())
                .findFirst();
    }

    private void requireDeadline() {
        Duration deadline = config.ackDeadline();
        boolean whole = deadline.toNanosPart() == 0;
        if (!whole || deadline.compareTo(DEADLINE_MIN) < 0 || deadline.compareTo(DEADLINE_MAX) > 0) {
            throw new BrokerStartException("flagtally.broker.gcp.ack-deadline is " + deadline
                    + ", but Pub/Sub keeps messages for 1 to 600 whole seconds; set it to one of them.");
        }
    }

    private void requireSize() {
        int size = broker.message().bytesMax();
        if (size > PubSubTarget.PAYLOAD_BYTES_MAX) {
            throw new BrokerStartException("flagtally.broker.message.bytes-max is " + size
                    + ", but Pub/Sub takes 10 MB with headers; set it to " + PubSubTarget.PAYLOAD_BYTES_MAX
                    + " at most.");
        }
    }

    private static Optional<String> judge(
            String key, Optional<String> name, Function<String, Optional<GcpFailure>> look) {
        Optional<GcpFailure> failure = name.flatMap(look);
        if (failure.isPresent() && failure.get().isFinal()) {
            throw new BrokerStartException(failure.get().sentence(name.get(), key));
        }
        return failure.map(why -> why.sentence(name.get(), key));
    }
}
