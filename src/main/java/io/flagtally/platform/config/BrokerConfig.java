package io.flagtally.platform.config;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.smallrye.config.WithName;
import java.time.Duration;
import java.util.Optional;

/** The broker in words that all brokers share. Which broker it is, {@code quarkus.profile} says. */
@ConfigMapping(prefix = "flagtally.broker")
public interface BrokerConfig {

    /** Where events are sent: a topic, an exchange, a stream or a queue. */
    @WithDefault("flagtally-events")
    String publishTo();

    /** Where events come from: a topic, a subscription, a stream or a queue. */
    @WithDefault("flagtally-events")
    String subscribeTo();

    /** Processes of one group share the events; another group gets all of them again. */
    @WithDefault("flagtally")
    String consumerGroup();

    /** Where events at fault are sent, besides the table of dead letters; none sends them nowhere else. */
    Optional<String> deadLetterTo();

    Message message();

    /** What decides the partition of a message. */
    @WithDefault("none")
    Key key();

    /**
     * True keeps the events of one key in order in the broker; it needs a key and a broker that keeps order, else the start
     * is refused. The counts do not need it. With SNS and SQS messages are then sent one at a time.
     */
    @WithDefault("false")
    boolean ordered();

    /** How many events travel together. */
    interface Message {

        /** Events in a message. */
        @WithDefault("10000")
        int eventsMax();

        /** Bytes of a message's payload; an event that is larger is refused at the door. */
        @WithDefault("4194304")
        int bytesMax();

        /**
         * How long events of several requests are gathered into one message while others are on their way to the broker;
         * with none on its way a message leaves at once. Zero gathers nothing, as in process, where batches gather; every
         * broker's profile has 5 ms.
         */
        @WithDefault("0s")
        Duration linger();
    }

    /** What decides the partition of a message. */
    enum Key {
        /** The broker spreads messages as it likes. */
        @WithName("none")
        NONE,
        /** Events of one user go to one partition. */
        @WithName("user")
        USER
    }
}
