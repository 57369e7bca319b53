package io.flagtally.brokers;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A broker of the test's own: a real server as a child process, or a stand-in over a real socket. On 127.0.0.1, with data
 * below {@code target}; it ends with {@link #close}, at the latest with this JVM.
 *
 * <p>It has two places, {@link #EVENTS} and {@link #DEAD_LETTERS}, and two groups of consumers of {@link #EVENTS} that each
 * get every message: the service reads as {@link #GROUP}, the tests as {@link #SECOND_GROUP}. Where a broker has queues and
 * no groups, each group is a queue bound to the place that is published to.
 */
public interface BrokerForTests extends AutoCloseable {

    /** Where the service publishes events. */
    String EVENTS = "contract-events";

    /** Where the service publishes dead letters. */
    String DEAD_LETTERS = "contract-dead-letters";

    /** The consumers of the service. */
    String GROUP = "contract";

    /** Other consumers of the same messages. */
    String SECOND_GROUP = "contract-second";

    /** A message as it lies in the broker. */
    record Raw(byte[] payload, Map<String, String> headers) {

        /** The same with these headers too. */
        Raw with(Map<String, String> more) {
            Map<String, String> all = new HashMap<>(headers);
            all.putAll(more);
            return new Raw(payload, all);
        }
    }

    /** What it is, with its version, or that it is a stand-in; the report of the suite says it. */
    String name();

    /** The profile of the service, as in {@code -Dquarkus.profile=…}. */
    String profile();

    /** Where it listens, or will listen after {@link #start}. */
    int port();

    /**
     * Starts it and makes places and groups, if the service does not make them itself. Returns when it answers.
     *
     * @param reachedAt the port that the service will reach it at: a proxy's, for brokers that tell clients their address
     */
    void start(int reachedAt);

    /** Ends it in order. */
    void stop();

    /** Ends it as a crash does; what it confirmed must not be lost. */
    void kill();

    /** Starts it again after {@link #stop} or {@link #kill}: same port, same data. Returns when it answers. */
    void restart();

    /**
     * What the service is given besides the profile and the common words ({@code flagtally.broker.*}), as system properties.
     *
     * @param port where the service shall reach it
     */
    Map<String, String> settings(int port);

    /** Publishes a message to {@link #EVENTS} this many times, not through the service; returns when the broker has them. */
    void publish(Raw message, int times);

    /** Messages that {@link #GROUP} has not acknowledged, whether delivered or not. */
    long backlog();

    /**
     * Messages that {@link #GROUP} has been given and has not acknowledged, as the broker says; only differences of it
     * mean something.
     *
     * @param service the one consumer, asked where a broker leaves it to the consumer to know what it took
     */
    long held(BrokeredService service);

    /**
     * The most that {@link #held} may grow by while the service writes nothing, as it is configured.
     *
     * @param inPipeline messages that its pipeline takes, whatever the broker is
     */
    int heldMax(int inPipeline);

    /**
     * Takes all messages that wait for a group, in the order of the broker, acknowledges them and returns them.
     *
     * @param place {@link #EVENTS} or {@link #DEAD_LETTERS}
     * @param group {@link #SECOND_GROUP}, whoever reads dead letters
     */
    List<Raw> read(String place, String group);

    /** Whether a message that was delivered before is marked as such, without exception. */
    boolean tellsRedelivery();

    @Override
    void close();
}
