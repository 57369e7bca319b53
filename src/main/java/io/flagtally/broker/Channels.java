package io.flagtally.broker;

import io.quarkus.arc.All;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.eclipse.microprofile.config.Config;

/** The four channels that a broker may carry, and which connector each of them has. */
@Singleton
class Channels {

    static final String EVENTS_OUT = "events-out";
    static final String EVENTS = "events";
    static final String DEAD_LETTERS_OUT = "dead-letters-out";
    static final String MIRROR_OUT = "mirror-out";

    static final Set<String> OUTGOING = Set.of(EVENTS_OUT, DEAD_LETTERS_OUT, MIRROR_OUT);

    /** Its messages stay in the process, so their metadata needs no headers. */
    static final String IN_PROCESS = "flagtally-memory";

    private static final String LIBRARY_PREFIX = "smallrye-";

    private final Config config;
    private final Map<String, Carrier> carriers;

    @Inject
    Channels(Config config, @All List<Carrier> carriers) {
        this.config = config;
        this.carriers = carriers.stream().collect(Collectors.toMap(Carrier::connector, Function.identity()));
    }

    /** The connector of the outgoing {@code channel}, by its full name. */
    String outgoing(String channel) {
        return connector("mp.messaging.outgoing." + channel + ".connector");
    }

    /** The connector of the incoming {@code channel}, by its full name. */
    String incoming(String channel) {
        return connector("mp.messaging.incoming." + channel + ".connector");
    }

    /**
     * Who carries headers for {@code connector}; empty if they need no carrying.
     *
     * @throws BrokerStartException if nobody does
     */
    Optional<Carrier> carrier(String connector) {
        if (connector.equals(IN_PROCESS) || connector.equals(IdleConnector.NAME)) {
            return Optional.empty();
        }
        Carrier carrier = carriers.get(connector);
        if (carrier == null) {
            throw new BrokerStartException("The connector " + connector + " is none that Flagtally can use"
                    + " (it knows "
                    + String.join(", ", carriers.keySet().stream().sorted().toList())
                    + "); choose a broker with quarkus.profile.");
        }
        return Optional.of(carrier);
    }

    private String connector(String key) {
        String name = config.getOptionalValue(key, String.class).orElse(IdleConnector.NAME);
        boolean known = name.startsWith(LIBRARY_PREFIX) || name.startsWith("flagtally-");
        return known ? name : LIBRARY_PREFIX + name;
    }
}
