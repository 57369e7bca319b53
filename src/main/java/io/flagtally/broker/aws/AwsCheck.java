package io.flagtally.broker.aws;

import io.flagtally.broker.BrokerCheck;
import io.flagtally.broker.BrokerPlace;
import io.flagtally.broker.BrokerStartException;
import io.flagtally.broker.Patience;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Asks AWS for each topic and queue that is configured, before the channels open. */
@ApplicationScoped
class AwsCheck implements BrokerCheck {

    private final AwsClients clients;

    @Inject
    AwsCheck(AwsClients clients) {
        this.clients = clients;
    }

    @Override
    public String connector() {
        return AwsConnector.NAME;
    }

    @Override
    public Optional<String> check(BrokerPlace place) {
        Map<String, String> places = new TreeMap<>();
        place.publishTo().ifPresent(text -> places.put("flagtally.broker.publish-to", text));
        place.deadLetterTo().ifPresent(text -> places.put("flagtally.broker.dead-letter-to", text));
        place.subscribeTo().ifPresent(text -> places.put("flagtally.broker.subscribe-to", text));
        place.mirrorTo().ifPresent(text -> places.put(BrokerPlace.MIRROR_TO, text));
        requireQueueToReceiveFrom(place);
        AwsLook look = new AwsLook(clients);
        Patience patience = Patience.ofACheck();
        return places.entrySet().stream()
                .flatMap(entry -> check(look, entry.getKey(), entry.getValue(), patience).stream())
                .findFirst();
    }

    private static Optional<String> check(AwsLook look, String key, String text, Patience patience) {
        AwsAddress address = AwsAddress.of(text);
        Optional<AwsFailure> failure = look.failure(address, patience.left());
        if (failure.isPresent() && failure.get().isFinal()) {
            throw new BrokerStartException(failure.get().sentence(address, key));
        }
        return failure.map(away -> away.sentence(address, key));
    }

    private static void requireQueueToReceiveFrom(BrokerPlace place) {
        Optional<String> topic =
                place.subscribeTo().filter(text -> AwsAddress.of(text).kind() == AwsAddress.Kind.TOPIC);
        if (topic.isPresent()) {
            throw new BrokerStartException("Messages are received from a queue, and " + topic.get()
                    + " is a topic; subscribe a queue to it and name the queue in flagtally.broker.subscribe-to.");
        }
    }
}
