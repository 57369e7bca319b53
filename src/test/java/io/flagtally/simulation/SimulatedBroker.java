package io.flagtally.simulation;

import io.flagtally.codec.EventHeaders;
import io.flagtally.rollup.CountDelta;
import io.flagtally.rollup.CountKey;
import io.flagtally.rollup.EventIdentity;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A broker that promises only what brokers promise: a message is delivered at least once, in any order, again after a
 * time without acknowledgement, now and then twice at once, and sometimes long after it was acknowledged.
 */
final class SimulatedBroker {

    private static final Duration ACK_TIMEOUT = Duration.ofSeconds(30);
    private static final int DELIVERY_MILLIS_MAX = 50;

    /** A message that the broker has. */
    static final class Stored {
        final int number;
        final byte[] payload;
        final EventHeaders headers;
        final Map<CountKey, CountDelta> deltas;
        final Set<EventIdentity> events = new HashSet<>();
        boolean acknowledged;
        int deliveries;

        Stored(int number, byte[] payload, EventHeaders headers, Map<CountKey, CountDelta> deltas) {
            this.number = number;
            this.payload = payload;
            this.headers = headers;
            this.deltas = deltas;
            deltas.values().forEach(delta -> events.addAll(delta.identities()));
        }
    }

    /**
     * A message that a process has acknowledged.
     *
     * @param putAside all its events were put aside in place of being counted
     */
    record Acknowledged(Stored message, SimulatedProcess process, Instant at, boolean putAside) {}

    private final VirtualTime time;
    private final Faults faults;
    private final History history;
    private final Duration window;
    private final LettersAside aside;
    private final List<Stored> waiting = new ArrayList<>();
    private final List<SimulatedProcess> processes = new ArrayList<>();
    private final Map<CountKey, Set<EventIdentity>> acknowledged = new HashMap<>();
    private final List<Acknowledged> acknowledgements = new ArrayList<>();
    private int published;
    private String wrong = "";

    SimulatedBroker(VirtualTime time, Faults faults, History history, Duration window, LettersAside aside) {
        this.aside = aside;
        this.time = time;
        this.faults = faults;
        this.history = history;
        this.window = window;
    }

    void publish(byte[] payload, EventHeaders headers, Map<CountKey, CountDelta> deltas) {
        waiting.add(new Stored(published++, payload, headers, deltas));
        deliver();
    }

    void join(SimulatedProcess process) {
        processes.add(process);
        deliver();
    }

    void leave(SimulatedProcess process) {
        processes.remove(process);
    }

    /** Gives waiting messages, in any order, to processes that asked for some. */
    void deliver() {
        while (!waiting.isEmpty()) {
            List<SimulatedProcess> asking =
                    processes.stream().filter(SimulatedProcess::asks).toList();
            if (asking.isEmpty()) {
                return;
            }
            Stored message = waiting.remove(faults.below(waiting.size()));
            handTo(asking.get(faults.below(asking.size())), message);
        }
    }

    private void handTo(SimulatedProcess process, Stored message) {
        message.deliveries++;
        boolean redelivered = message.deliveries > 1;
        history.note("message %d to process %s%s", message.number, process, redelivered ? " again" : "");
        process.claim();
        time.after(faults.within(DELIVERY_MILLIS_MAX), () -> process.receive(message, redelivered));
        int delivery = message.deliveries;
        time.after(ACK_TIMEOUT, () -> {
            if (!message.acknowledged && message.deliveries == delivery) {
                again(message);
            }
        });
        if (message.deliveries < 4 && faults.happens(faults.deliveredTwice)) {
            time.after(faults.within(2 * (int) ACK_TIMEOUT.toMillis()), () -> again(message));
        }
    }

    private void again(Stored message) {
        waiting.add(message);
        deliver();
    }

    /** Says which counter is short of an event that was acknowledged, or gives an empty text. */
    String acknowledgedBeyond(Map<CountKey, Long> counts) {
        for (Map.Entry<CountKey, Set<EventIdentity>> key : acknowledged.entrySet()) {
            long counted = counts.getOrDefault(key.getKey(), 0L);
            if (counted < key.getValue().size()) {
                return key.getKey() + " counts " + counted + " events, but "
                        + key.getValue().size() + " were acknowledged";
            }
        }
        return "";
    }

    List<Acknowledged> acknowledgements() {
        return acknowledgements;
    }

    /** Says which message was acknowledged without being counted or put aside, or gives an empty text. */
    String wrong() {
        return wrong;
    }

    /**
     * The consumer acknowledges {@code message}; from here on its events must be counted or put aside, whatever becomes of
     * this.
     */
    void acknowledge(Stored message, boolean redelivered, Instant receivedAt, SimulatedProcess by) {
        boolean putAside = aside.tookJustNow(message.events);
        acknowledgements.add(new Acknowledged(message, by, time.instant(), putAside));
        if (!putAside) {
            message.deltas.forEach((key, delta) ->
                    acknowledged.computeIfAbsent(key, k -> new HashSet<>()).addAll(delta.identities()));
        }
        boolean late = redelivered && message.headers.acceptedAt().plus(window).isBefore(receivedAt);
        if (late && !putAside) {
            wrong = "message " + message.number + " came again after the window, and process " + by
                    + " acknowledged it without putting it aside";
        }
        if (faults.happens(faults.ackLost)) {
            history.note("acknowledgement of message %d lost", message.number);
            return;
        }
        message.acknowledged = true;
        if (faults.happens(faults.redeliveredAfterWindow)) {
            time.after(window.plusHours(1), () -> again(message));
        }
    }
}
