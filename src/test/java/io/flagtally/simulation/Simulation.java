package io.flagtally.simulation;

import io.flagtally.codec.EventCodec;
import io.flagtally.codec.EventHeaders;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagEvent;
import io.flagtally.event.SourceId;
import io.flagtally.pipeline.BatchSink;
import io.flagtally.pipeline.PipelineConfig;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.CountDelta;
import io.flagtally.rollup.CountKey;
import io.flagtally.rollup.EventBatch;
import io.flagtally.rollup.EventIdentity;
import io.flagtally.simulation.SimulatedBroker.Acknowledged;
import io.flagtally.simulation.SimulatedStore.Forgotten;
import io.flagtally.store.redis.StoreMemoryForTests;
import io.flagtally.testing.RandomEvents;
import io.flagtally.testing.WireLines;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * One run of one seed: clients publish and retry, processes die and come back, and at every step each counter lies
 * between what was acknowledged and what was attempted; at rest it is what was accepted.
 */
final class Simulation {

    private static final Duration WINDOW = Duration.ofHours(24);
    private static final int REQUESTS = 12;
    private static final int EVENTS_A_REQUEST_MAX = 8;
    private static final int SENDING_MILLIS = 60_000;
    private static final int OUTAGE_SPREAD_MILLIS = 6 * 3_600_000;
    private static final int STEPS_MAX = 200_000;

    private final VirtualTime time = new VirtualTime(RandomEvents.NOW);
    private final History history = new History(time);
    private final BucketCalendar calendar = new BucketCalendar(ZoneOffset.UTC);
    private final EventCodec codec;
    private final PipelineConfig config;
    private final Random random;
    private final Faults faults;
    private final RandomEvents events;
    private final SimulatedStore store;
    private final SimulatedBroker broker;
    private final LettersAside aside = new LettersAside(time, WINDOW, history);
    private final Map<CountKey, Set<EventIdentity>> attempted = new HashMap<>();
    private final Map<CountKey, Set<String>> users = new HashMap<>();
    private final Protections protections;
    private final List<SimulatedProcess> processes = new ArrayList<>();
    private int started;

    /**
     * What makes the numbers right; each can be switched off to see that it is missed.
     *
     * @param deduplication the store recognises what it counted
     * @param forgetting a process forgets what it knows of a store that it is in doubt of
     * @param doubts a process tells what its store may have lost
     * @param window a process puts aside what it or another may have written before the window
     */
    record Protections(boolean deduplication, boolean forgetting, boolean doubts, boolean window) {
        static final Protections ALL = new Protections(true, true, true, true);
    }

    Simulation(long seed, Protections protections, EventCodec codec, PipelineConfig config) {
        this.protections = protections;
        this.codec = codec;
        this.config = config;
        random = new Random(seed);
        faults = new Faults(random);
        events = new RandomEvents(seed);
        store = new SimulatedStore(
                time, history, protections.deduplication(), WINDOW.plus(BatchSink.RECOGNISED_BEYOND));
        broker = new SimulatedBroker(time, faults, history, WINDOW, aside);
    }

    /** Runs to rest. Returns what is wrong with the numbers, or an empty text. */
    String run() {
        for (int i = 0; i < faults.processes; i++) {
            start();
        }
        for (int i = 0; i < REQUESTS; i++) {
            time.after(faults.within(SENDING_MILLIS), this::request);
        }
        if (faults.happens(faults.storeOutage)) {
            time.after(faults.within(SENDING_MILLIS), () -> store.outage(faults.within(120_000)));
        }
        if (faults.outageOfTheWindow) {
            Duration outage = WINDOW.minusHours(1).plus(faults.within(OUTAGE_SPREAD_MILLIS));
            time.after(faults.within(SENDING_MILLIS), () -> store.outage(outage));
        }
        if (faults.happens(faults.storeForgets)) {
            time.after(faults.within(SENDING_MILLIS), () -> store.forgetIn(faults.within(30_000)));
        }
        int steps = 0;
        while (time.step()) {
            String wrong = wrongBetween();
            if (!wrong.isEmpty()) {
                return wrong;
            }
            if (++steps > STEPS_MAX) {
                return "no rest after " + STEPS_MAX + " steps";
            }
        }
        return wrongAtRest();
    }

    History history() {
        return history;
    }

    private void start() {
        String name = "p" + ++started;
        StoreMemoryForTests memory = new StoreMemoryForTests(name, time.instant(), protections.forgetting());
        SimulatedConnection connection = new SimulatedConnection(name, store, memory, time, faults, history);
        SimulatedProcess process = new SimulatedProcess(
                name,
                broker,
                connection,
                aside,
                codec,
                config,
                protections.window() ? WINDOW : Duration.ofDays(10_000),
                calendar,
                time,
                faults);
        history.note("process %s starts", process);
        processes.add(process);
        broker.join(process);
        if (faults.happens(faults.processDies)) {
            time.after(faults.within(SENDING_MILLIS), () -> {
                history.note("process %s dies", process);
                process.die();
                time.after(faults.within(5_000), this::start);
            });
        }
    }

    private void request() {
        List<FlagEvent> sent = new ArrayList<>();
        int count = 1 + faults.below(EVENTS_A_REQUEST_MAX);
        for (int i = 0; i < count; i++) {
            sent.add(events.evaluation());
        }
        publish(sent);
    }

    /**
     * Publishes; if the client does not see the reply, it sends the same events again. Not where the store goes away for
     * longer than the window: of two copies in the backlog the first may be counted before and the second after, and
     * nothing tells the second one from a new event.
     */
    private void publish(List<FlagEvent> sent) {
        Map<CountKey, CountDelta> deltas =
                EventBatch.of(calendar, sent).rollup().counts();
        deltas.forEach((key, delta) -> {
            attempted.computeIfAbsent(key, k -> new HashSet<>()).addAll(delta.identities());
            users.computeIfAbsent(key, k -> new HashSet<>()).addAll(delta.users());
        });
        EventHeaders headers =
                new EventHeaders(EnvironmentId.DEFAULT, SourceId.WEB, codec.contentType(), sent.size(), time.instant());
        history.note("client sends %d events", sent.size());
        broker.publish(WireLines.payload(sent), headers, deltas);
        if (!faults.outageOfTheWindow && faults.happens(faults.publishReplyLost)) {
            history.note("client sees no reply and will send them again");
            time.after(faults.within(10_000), () -> publish(sent));
        }
    }

    private String wrongBetween() {
        if (!broker.wrong().isEmpty() || !aside.wrong().isEmpty()) {
            return broker.wrong() + aside.wrong();
        }
        for (Map.Entry<CountKey, Long> counted : store.counts().entrySet()) {
            int most = attempted.getOrDefault(counted.getKey(), Set.of()).size();
            if (counted.getValue() > most) {
                return counted.getKey() + " counts " + counted.getValue() + " of " + most + " events";
            }
        }
        return store.forgotten() == null ? broker.acknowledgedBeyond(store.counts()) : "";
    }

    private String wrongAtRest() {
        return store.forgotten() == null ? wrongWithoutLoss() : wrongAfterLoss(store.forgotten());
    }

    /** What the store forgot may be missing, if the process to which the store had confirmed it says so. */
    private String wrongAfterLoss(Forgotten forgotten) {
        processes.stream()
                .filter(SimulatedProcess::alive)
                .forEach(process -> process.store().look());
        for (Map.Entry<CountKey, Long> count : store.counts().entrySet()) {
            int distinct = store.counted(count.getKey()).size();
            if (count.getValue() != distinct) {
                return "after a loss " + count.getKey() + " counts " + count.getValue() + ", but holds " + distinct;
            }
        }
        for (Acknowledged acknowledged : broker.acknowledgements()) {
            if (acknowledged.putAside() || isDoubted(acknowledged, forgotten)) {
                continue;
            }
            for (Map.Entry<CountKey, CountDelta> delta :
                    acknowledged.message().deltas.entrySet()) {
                CountKey key = delta.getKey();
                if (!store.counted(key).containsAll(delta.getValue().identities())
                        || !store.users(key).containsAll(delta.getValue().users())) {
                    return "message " + acknowledged.message().number + ", acknowledged by "
                            + acknowledged.process() + " at " + acknowledged.at() + ", is not in " + key
                            + ", and nobody tells of a loss then";
                }
            }
        }
        return "";
    }

    private boolean isDoubted(Acknowledged acknowledged, Forgotten forgotten) {
        Instant at = acknowledged.at();
        if (!acknowledged.process().alive()) {
            // Its memory died with it; that another server took over is told by those that live.
            return !at.isBefore(forgotten.from()) && !at.isAfter(forgotten.to());
        }
        return protections.doubts()
                && acknowledged.process().store().doubts().stream()
                        .anyMatch(doubt -> !at.isBefore(doubt.from()) && !at.isAfter(doubt.to()));
    }

    private String wrongWithoutLoss() {
        for (Map.Entry<CountKey, Set<EventIdentity>> key : attempted.entrySet()) {
            Set<EventIdentity> due = new HashSet<>(key.getValue());
            due.removeIf(
                    event -> aside.holds(event) && !store.counted(key.getKey()).contains(event));
            long counted = store.counts().getOrDefault(key.getKey(), 0L);
            if (counted != due.size()) {
                return "at rest " + key.getKey() + " counts " + counted + " of " + due.size() + " events";
            }
            boolean all = due.size() == key.getValue().size();
            if (all && !store.users(key.getKey()).equals(users.get(key.getKey()))) {
                return "at rest " + key.getKey() + " has " + store.users(key.getKey()) + " of "
                        + users.get(key.getKey());
            }
        }
        return "";
    }
}
