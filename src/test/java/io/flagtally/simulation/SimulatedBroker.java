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
        boolean acknowledged;
        int deliveries;

        Stored(int number, byte[] payload, EventHeaders headers, Map<CountKey, CountDelta> deltas) {
            this.number = number;
            this.payload = payload;
            this.headers = headers;
            this.deltas = deltas;
        }
    }

    /** A message that a process has acknowledged. */
    record Acknowledged(Stored message, SimulatedProcess process, Instant at) {}

    private final VirtualTime time;
    private final Faults faults;
    private final History history;
    private final Duration window;
    private final List<Stored> waiting = new ArrayList<>();
    private final List<SimulatedProcess> processes = new ArrayList<>();
    private final Map<CountKey, Set<EventIdentity>> acknowledged = new HashMap<>();
    private final List<Acknowledged> acknowledgements = new ArrayList<>();
    private int published;

    SimulatedBroker(VirtualTime time, Faults faults, History history, Duration window) {
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

    /** The consumer acknowledges {@code message}; from here on its events must be counted, whatever becomes of this. */
    void acknowledge(Stored message, SimulatedProcess by) {
        acknowledgements.add(new Acknowledged(message, by, time.instant()));
        message.deltas.forEach((key, delta) ->
                acknowledged.computeIfAbsent(key, k -> new HashSet<>()).addAll(delta.identities()));
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
